"""An engine that is cut off, silent, slow or garbled: told as it is, and nothing is left of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.docker.sidecar_process import GONE_S, HEADERS, sidecar
from tests.faults.engine_proxy import EngineProxy
from tests.faults.services import Platform
from tests.flow.leaving import gone_within, sandboxes

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

SLEEPS = {"language": "bash", "code": "sleep 30", "limits": {"timeout_s": 30}}
PRINTS = {"language": "bash", "code": "echo 1"}
AT_ONCE = 4
OUT_OF_ROOM = b"500 Out Of Room\r\nContent-Length: 0"


@contextmanager
def asked(
    platform: Platform, snippet: Mapping[str, object], times: int = 1
) -> Iterator[list[Future[httpx.Response]]]:
    """So many calls, each in a thread."""
    with ThreadPoolExecutor(times) as threads, platform.client() as client:
        yield [threads.submit(client.post, "/v1/execute", json=snippet) for _ in range(times)]


def until_running(platform: Platform, many: int) -> None:
    until = time.monotonic() + 30
    while len(sandboxes(platform.sidecar)) < many:
        assert time.monotonic() < until, "they do not begin"
        time.sleep(0.1)
    time.sleep(1)


def test_an_engine_that_is_cut_off_under_programs_is_told_at_once(platform: Platform) -> None:
    with asked(platform, SLEEPS, AT_ONCE) as calls:
        until_running(platform, AT_ONCE)
        began = time.monotonic()
        platform.engine.cut()
        answers = [call.result() for call in calls]
        took_s = time.monotonic() - began
        assert platform.ready() == 503
        platform.engine.heal()
    assert took_s < 20
    assert {came_of(answer) for answer in answers} <= {"engine_unavailable", "killed"}


def came_of(answer: httpx.Response) -> str:
    """The status of an execution, or the code of a refusal that may be asked again."""
    said = answer.json()
    if answer.is_success:
        return str(said["status"])
    assert (answer.status_code, said["error"]["retryable"]) == (503, True)
    return str(said["error"]["code"])


def test_an_engine_that_falls_silent_is_told_and_used_again(platform: Platform) -> None:
    platform.engine.hang()
    with asked(platform, PRINTS) as calls:
        answer = calls[0].result()
    assert came_of(answer) == "engine_unavailable"
    assert platform.ready() == 503
    platform.engine.heal()


def test_a_slow_engine_eats_none_of_a_programs_time(platform: Platform) -> None:
    platform.engine.delay(b"/containers/create", 3.0)
    ran = platform.run("echo 1", "bash", limits={"timeout_s": 2.5})
    assert (ran.status, ran.stdout) == ("ok", "1\n")
    assert ran.timings_ms.start >= 3000
    assert ran.timings_ms.run < 2500


def test_who_leaves_while_a_sandbox_is_made_leaves_none(platform: Platform) -> None:
    platform.engine.delay(b"/containers/create", 2.0)
    with platform.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/v1/execute", json=SLEEPS, timeout=1)
    time.sleep(2.5)


def test_a_start_that_fails_after_the_creation_leaves_no_container(platform: Platform) -> None:
    platform.engine.answers = lambda said: said.replace(b"204 No Content", OUT_OF_ROOM)
    with asked(platform, PRINTS) as calls:
        answer = calls[0].result()
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "engine_refused")
    platform.engine.heal()


def test_frames_that_lie_are_no_output(platform: Platform) -> None:
    platform.engine.answers = garbled
    ran = platform.run("echo printed", "bash", limits={"timeout_s": 1})
    platform.engine.heal()
    assert (ran.status, ran.stdout) in {("timeout", ""), ("killed", "")}


# The head of the engine's frame becomes that of a stream there is none, of 4 GiB.
def garbled(said: bytes) -> bytes:
    if b"printed\n" in said and said.startswith((b"\x01\0\0\0", b"\x02\0\0\0")):
        return b"\x07\0\0\0\xff\xff\xff\xff" + said[8:]
    return said


def test_the_health_of_the_sidecar_does_not_depend_on_the_engine(platform: Platform) -> None:
    platform.engine.hang()
    health = httpx.get(f"{platform.sidecar.url}/healthz", trust_env=False, timeout=5)
    platform.engine.heal()
    assert health.json() == {"ok": True}


def test_a_sidecar_told_to_stop_while_a_sandbox_is_made_leaves_none(tmp_path: Path) -> None:
    with (
        tempfile.TemporaryDirectory() as place,
        EngineProxy(Path(place) / "engine.sock") as engine,
        sidecar(tmp_path, docker_socket=str(engine.path)) as running,
        ThreadPoolExecutor(1) as thread,
    ):
        engine.delay(b"/containers/create", 1.5)
        url = f"{running.url}/v1/execute"
        asking = thread.submit(
            httpx.post, url, json=PRINTS, headers=HEADERS, timeout=60, trust_env=False
        )
        time.sleep(0.7)
        running.process.terminate()
        running.process.wait(30)
        assert came_of(asking.result()) in {"ok", "stopping"}
        assert gone_within(GONE_S, running)

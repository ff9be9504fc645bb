"""Runs under which something breaks: over in words, readable, not done twice, nothing left."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from mini_agent.testing import ScriptedReply, ScriptedServer, call, refusal, text
from mini_agent.testing.replies import JsonObject
from tests.docker.sidecar_process import GONE_S, Sidecar, sidecar
from tests.faults.services import Platform, shim, shim_process
from tests.flow.leaving import gone_within, sandboxes
from tests.shim.runs.run_client import parse_messages

pytestmark = [pytest.mark.docker, pytest.mark.timeout(300)]

PATIENCE_S = 60.0
SLEEPS = "import time; time.sleep(60)"
AT_ONCE = 8


def says(messages: list[JsonObject]) -> ScriptedReply:
    """Runs the program it is asked for, and tells what came of it."""
    asked = next(str(each["content"]) for each in messages if each["role"] == "user")
    if messages[-1]["role"] != "tool":
        return call("exec_python", code=asked)
    if "gone" in asked:
        return refusal(503, "the model is gone")
    return text(f"It came to this: {messages[-1]['content']}")


@dataclass(frozen=True, slots=True)
class Agent:
    """A client of a shim."""

    client: httpx.Client

    def begun(self, code: str, key: str = "") -> str:
        """The id of a run of this program."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post("/agent/run", json=asking(code), headers=headers)
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text
        return str(answer.json()["id"])

    def told(self, run_id: str) -> list[str]:
        """The kinds of all its events, which have to be numbered without a gap and end."""
        told = parse_messages(self.client.get(f"/runs/{run_id}/events", timeout=PATIENCE_S).text)
        assert [each.seq for each in told] == list(range(1, len(told) + 1))
        assert told[-1].kind == "run_ended"
        return [each.kind for each in told]

    def ended(self, run_id: str) -> dict[str, object]:
        """The run once it is over; its log is readable and has its program once at most."""
        assert self.told(run_id).count("tool_started") <= 1
        run: dict[str, object] = self.client.get(f"/runs/{run_id}").json()
        return run


def asking(code: str) -> dict[str, object]:
    messages = [{"role": "user", "content": code}]
    return {"messages": messages, "background": True, "max_wallclock_seconds": 90}


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer(says) as server:
        yield server


@pytest.fixture
def agent(standing: Platform, model: ScriptedServer, tmp_path: Path) -> Iterator[Agent]:
    with shim(tmp_path / "runs", standing.sidecar.url, model.url) as client:
        yield Agent(client)


def until_running(there: Sidecar, many: int = 1) -> None:
    until = time.monotonic() + PATIENCE_S
    while len(sandboxes(there)) < many:
        assert time.monotonic() < until, "no program begins"
        time.sleep(0.1)
    time.sleep(1)


def test_an_engine_that_goes_under_many_runs_loses_none(platform: Platform, agent: Agent) -> None:
    runs = [agent.begun(f"import time; time.sleep(3); print({n})") for n in range(AT_ONCE)]
    until_running(platform.sidecar, 2)
    platform.engine.cut()
    time.sleep(1)
    platform.engine.heal()
    ended = [agent.ended(run) for run in runs]
    assert {run["state"] for run in ended} == {"done"}
    assert all(run["result"] for run in ended)
    assert len({run["id"] for run in ended}) == AT_ONCE


def test_a_model_that_goes_leaves_what_was_done(platform: Platform, agent: Agent) -> None:
    run = agent.ended(agent.begun("print('what was done')  # then it is gone"))
    assert (run["state"], run["stopped_reason"]) == ("failed", "error")
    assert "what was done" in json.dumps(run["result"])
    assert "the model is gone" in str(run["error"])


def test_a_run_that_is_cancelled_is_gone_with_its_sandbox(platform: Platform, agent: Agent) -> None:
    run = agent.begun(SLEEPS)
    until_running(platform.sidecar)
    agent.client.post(f"/runs/{run}/cancel")
    assert agent.ended(run)["state"] == "cancelled"
    assert gone_within(GONE_S, platform.sidecar)


def test_one_key_at_the_same_time_many_times_is_one_run(platform: Platform, agent: Agent) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        begun = [threads.submit(agent.begun, "print(1)", "many") for _ in range(AT_ONCE)]
    (run,) = {each.result() for each in begun}
    assert agent.ended(run)["state"] == "done"


def test_a_sidecar_that_is_killed_under_a_run_is_told_to_the_model(
    model: ScriptedServer, tmp_path: Path
) -> None:
    with (
        sidecar(tmp_path) as doomed,
        shim(tmp_path / "runs", doomed.url, model.url) as client,
    ):
        other = Agent(client)
        run = other.begun(SLEEPS)
        until_running(doomed)
        doomed.process.kill()
        ended = other.ended(run)
        assert other.client.get("/ready").status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ended["state"] == "done"
    assert "sidecar" in json.dumps(ended["result"])
    # Nobody is there to remove it, but it does not outlive the connection.
    assert not still_run(doomed)


def still_run(there: Sidecar) -> list[str]:
    label = f"label=mini-agent.instance={there.instance}"
    time.sleep(3)
    listed = subprocess.run(
        ["docker", "ps", "-q", "--filter", label], capture_output=True, text=True, check=True
    )
    left = sandboxes(there)
    if left:
        subprocess.run(["docker", "rm", "-f", *left], capture_output=True, check=True)
    return listed.stdout.split()


def test_a_shim_that_is_killed_under_a_run_leaves_it_interrupted_and_does_not_repeat_it(
    platform: Platform, model: ScriptedServer, tmp_path: Path
) -> None:
    with shim_process(tmp_path, platform.sidecar.url, model.url) as (process, client):
        first = Agent(client)
        run = first.begun(SLEEPS, "once")
        until_running(platform.sidecar)
        process.kill()
        process.wait()
    asked = len(model.requests)
    with shim(tmp_path, platform.sidecar.url, model.url) as client:
        second = Agent(client)
        assert second.begun(SLEEPS, "once") == run
        assert second.ended(run)["state"] == "interrupted"
    assert len(model.requests) == asked
    # Nobody closed its session, which ends when nobody asks for it any more.
    assert gone_within(GONE_S, platform.sidecar)

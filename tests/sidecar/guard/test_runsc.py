"""Sandboxes under gVisor, where the engine has it: the same answers from a kernel of its own."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from mini_agent.sandbox import LANGUAGES, Execution, Language
from tests.docker.sidecar_process import Sidecar, execute, require_engine
from tests.sidecar.guard.test_real_engine import PRINTS_42, guarded

pytestmark = pytest.mark.docker

RUNTIME = Path(__file__).parents[3] / "scripts" / "runtime"


@pytest.fixture(scope="module")
def service() -> Iterator[Sidecar]:
    require_engine()
    _require_runsc()
    with guarded(runtime="runsc") as (_, running, _folder):
        yield running


@pytest.fixture
async def client(service: Sidecar) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client() as connected:
        yield connected


def _require_runsc() -> None:
    """In CI it is installed, in seconds; on other machines that is for their owner to do."""
    looks = [] if os.environ.get("CI") else ["--check"]
    asked = subprocess.run(
        [str(RUNTIME), *looks, "runsc"], capture_output=True, text=True, timeout=110, check=False
    )
    if asked.returncode != 0:
        why = asked.stderr.strip().splitlines()[0]
        if os.environ.get("CI"):
            pytest.fail(f"in CI there has to be gVisor: {why}")
        pytest.skip(why)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_language_runs(client: httpx.AsyncClient, language: Language) -> None:
    done = await execute(client, language, PRINTS_42[language])
    assert (done.status, done.stdout) == ("ok", "42\n")
    assert done.sandbox.runtime == "runsc"


async def test_the_kernel_is_not_the_hosts(client: httpx.AsyncClient) -> None:
    done = await execute(client, "bash", "uname -r; dmesg")
    assert done.stdout.splitlines()[0] != os.uname().release
    assert "Starting gVisor..." in done.stdout


@pytest.mark.parametrize(
    ("code", "limits", "status"),
    [
        ("while True: pass", {"timeout_s": 1}, "timeout"),
        ("x = b'x' * (1 << 30)", {"memory_mb": 128}, "oom"),
        ("import os\nwhile True: os.fork()", {"pids": 64, "timeout_s": 10}, "killed"),
        ("import os; os.kill(os.getpid(), 11)", {}, "nonzero"),
        ("open('big', 'wb').write(b'x' * (80 << 20))", {}, "nonzero"),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 2)", {}, "nonzero"),
        ("open('/etc/added', 'w')", {}, "nonzero"),
    ],
)
async def test_a_limit_holds_and_is_told(
    client: httpx.AsyncClient, code: str, limits: dict[str, float], status: str
) -> None:
    done = await execute(client, "python", code, limits=limits)
    assert done.status == status, done


async def test_fewer_processes_than_gvisor_itself_needs_are_refused(
    client: httpx.AsyncClient,
) -> None:
    snippet = {"language": "bash", "code": "echo 1", "limits": {"pids": 63}}
    answer = await client.post("/v1/execute", json=snippet)
    assert answer.status_code == 422
    assert "limits.pids 63 is fewer than the 64" in answer.json()["error"]["message"]


async def test_a_snippet_cannot_read_the_runners_memory(client: httpx.AsyncClient) -> None:
    done = await execute(client, "python", "open('/proc/1/mem', 'rb')")
    assert "PermissionError" in done.stderr


async def test_nothing_is_left_behind(client: httpx.AsyncClient, service: Sidecar) -> None:
    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(_echo(client, number)) for number in range(3)]
    assert [run.result().stdout for run in runs] == ["0\n", "1\n", "2\n"]
    async with asyncio.timeout(60):
        while await service.containers():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.2)


async def _echo(client: httpx.AsyncClient, number: int) -> Execution:
    return await execute(client, "bash", f"echo {number}")

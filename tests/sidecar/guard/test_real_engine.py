"""A sidecar that has no engine but the one behind the guard."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent.sandbox import LANGUAGES, Language
from tests.docker.sidecar_process import (
    Sidecar,
    docker,
    execute,
    require_engine,
    sidecar,
)
from tests.sidecar.guard.guard_process import Guard, guard

pytestmark = pytest.mark.docker

PRINTS_42 = {
    "python": "print(6 * 7)",
    "node": "console.log(6 * 7)",
    "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println(6 * 7) }',
    "rust": 'fn main() { println!("{}", 6 * 7); }',
    "bash": "echo $((6 * 7))",
    "typescript": "const n: number = 6;\nconsole.log(n * 7)",
    "c": '#include <stdio.h>\nint main(void) { printf("%d\\n", 6 * 7); }',
    "cpp": "#include <iostream>\nint main() { std::cout << 6 * 7 << std::endl; }",
    "php": "<?php echo 6 * 7, PHP_EOL;",
    "ruby": "puts 6 * 7",
}
BACK_S = 60.0


@contextmanager
def guarded(runtime: str = "runc", **settings: str) -> Iterator[tuple[Guard, Sidecar, Path]]:
    """A guard, the sidecar behind it, and the folder of both."""
    require_engine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keeper = stack.enter_context(guard(folder, runtime=runtime))
        behind = {"docker_socket": str(keeper.socket), "runtime": runtime} | settings
        running = stack.enter_context(sidecar(folder, keeper.instance, **behind))
        yield keeper, running, folder


@pytest.fixture(scope="module")
def service() -> Iterator[Sidecar]:
    with guarded() as (_, running, _folder):
        yield running


@pytest.fixture
async def client(service: Sidecar) -> AsyncIterator[httpx.AsyncClient]:
    async with service.client() as connected:
        yield connected


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_language_runs_behind_the_guard(
    client: httpx.AsyncClient, language: Language
) -> None:
    done = await execute(client, language, PRINTS_42[language])
    assert (done.status, done.stdout) == ("ok", "42\n")


async def test_much_output_comes_through_whole(client: httpx.AsyncClient) -> None:
    limits = {"output_bytes": 8_000_000}
    done = await execute(client, "python", "print('x' * 7_999_999)", limits=limits)
    assert (done.stdout_bytes, done.truncated.stdout) == (8_000_000, False)
    assert done.stdout == "x" * 7_999_999 + "\n"


async def test_a_deadline_holds_and_nothing_is_left_behind(
    client: httpx.AsyncClient, service: Sidecar
) -> None:
    done = await execute(client, "python", "while True: pass", limits={"timeout_s": 0.5})
    assert done.status == "timeout"
    await _until_none(service)


async def test_the_reaper_removes_what_an_instance_left_and_nobody_elses() -> None:
    left = await docker(*_sandbox_of("test-left", deadline=int(time.time()) - 10))
    living = await docker(*_sandbox_of("test-living", deadline=int(time.time()) + 600))
    try:
        with guarded():
            listed = await docker("ps", "-aq", "--no-trunc", "--filter", "label=mini-agent.sandbox")
        assert left[0] not in listed
        assert living[0] in listed
    finally:
        await docker("rm", "-f", *living)


async def test_warm_sandboxes_and_sessions_are_let_through_too() -> None:
    with guarded(warm='{"python": 1, "data": 1}') as (_, service, _folder):
        async with service.client() as client:
            while len(await service.containers()) < 2:  # noqa: ASYNC110 - the engine only answers
                await asyncio.sleep(0.2)
            done = await execute(client, "python", "import numpy; print(numpy.ones(42).sum())")
            assert done.stdout == "42.0\n"
            opened = await client.post("/v1/sessions", json={"ttl_s": 3600})
            snippet = {"language": "bash", "code": "echo 42"}
            url = f"/v1/sessions/{opened.json()['id']}"
            answer = await client.post(f"{url}/execute", json=snippet)
            assert answer.json()["stdout"] == "42\n"
            assert (await client.delete(url)).status_code == 204


async def test_a_guard_that_is_killed_is_an_engine_that_is_away_until_the_next_is_there() -> None:
    with guarded() as (keeper, service, folder):
        async with service.client() as client:
            keeper.process.kill()
            keeper.process.wait()
            away = await client.post("/v1/execute", json={"language": "bash", "code": "echo 1"})
            assert away.status_code == 503
            assert away.json()["error"]["code"] == "engine_unavailable"
            with guard(folder, keeper.instance):
                done = await _as_soon_as_possible(client)
                assert done == "1\n"
                await _until_none(service)


def _sandbox_of(instance: str, deadline: int) -> tuple[str, ...]:
    name = f"mini-agent-sandbox-{time.time_ns():016x}"
    labels = {"sandbox": "1", "instance": instance, "deadline": str(deadline)}
    said = [f"--label=mini-agent.{key}={value}" for key, value in labels.items()]
    return ("create", "--name", name, *said, "mini-agent/sandbox-shell:local", "1")


async def _as_soon_as_possible(client: httpx.AsyncClient) -> str:
    async with asyncio.timeout(BACK_S):
        while True:
            snippet = {"language": "bash", "code": "echo 1"}
            answer = await client.post("/v1/execute", json=snippet)
            if answer.status_code == httpx.codes.OK:
                return str(answer.json()["stdout"])
            await asyncio.sleep(0.2)


async def _until_none(service: Sidecar) -> None:
    async with asyncio.timeout(BACK_S):
        while await service.containers():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.2)

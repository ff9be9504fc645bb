"""Warm sandboxes in the real engine: made ahead, used once, gone with whoever made them."""

from __future__ import annotations

import asyncio
import re
import secrets
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent_protocol.languages import REGISTRY
from tests.docker.sidecar_process import (
    Sidecar,
    docker,
    execute,
    sidecar,
)

pytestmark = pytest.mark.docker

SLEEP = {"language": "bash", "code": "sleep 60", "limits": {"timeout_s": 60}}
IMAGES = tuple(dict.fromkeys(spec.image for spec in REGISTRY if not spec.optional))


async def count(client: httpx.AsyncClient, name: str) -> int:
    counts = (await client.get("/metrics")).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", counts, re.MULTILINE)
    return int(float(found[1])) if found else 0


async def warm_leases(client: httpx.AsyncClient, pool: str) -> int:
    return await count(client, f'sidecar_leases_total{{pool="{pool}",warm="hit"}}')


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 60) -> None:
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.1)


async def until_level(client: httpx.AsyncClient, pool: str, wanted: int) -> None:
    async def is_there() -> bool:
        return await count(client, f'sidecar_pool_level{{pool="{pool}"}}') == wanted

    await until(is_there)


async def until_none(running: Sidecar, within_s: float = 60) -> None:
    async def are_none() -> bool:
        return await running.containers() == []

    await until(are_none, within_s)


@asynccontextmanager
async def own_images() -> AsyncIterator[str]:
    """A prefix under which the images can be moved without anybody else's noticing."""
    prefix = f"mini-agent-test-{secrets.token_hex(4)}/sandbox-"
    names = [f"{prefix}{name}:local" for name in IMAGES]
    for name, copy in zip(IMAGES, names, strict=True):
        await docker("tag", f"mini-agent/sandbox-{name}:local", copy)
    yield prefix
    await docker("rmi", *names)


async def test_a_warm_sandbox_is_used_once_and_replaced(tmp_path: Path) -> None:
    code = "import os; print(os.getuid(), len(os.listdir('/workspace')))"
    with sidecar(tmp_path, warm='{"python": 2}') as running:
        async with running.client() as client:
            await until_level(client, "python", 2)
            warm = set(await running.containers())
            before = await warm_leases(client, "python")
            runs = [await execute(client, "python", code) for _ in range(2)]
            assert await warm_leases(client, "python") == before + 2
            assert runs[0].stdout != runs[1].stdout

            async def are_gone() -> bool:
                return not warm & set(await running.containers())

            await until(are_gone)
            await until_level(client, "python", 2)


async def test_every_kind_can_be_warm(tmp_path: Path) -> None:
    kinds = ("python", "data", "node", "bash")
    programs = {"python": "print(1)", "data": "import pandas; print(1)", "node": "console.log(1)"}
    warm = ",".join(f'"{kind}":1' for kind in kinds)
    with sidecar(tmp_path, warm=f"{{{warm}}}") as running:
        async with running.client() as client:
            for kind in kinds:
                await until_level(client, kind, 1)
            for kind in kinds:
                language = "python" if kind == "data" else kind
                before = await warm_leases(client, kind)
                ran = await execute(client, language, programs.get(kind, "echo 1"))
                assert (ran.stdout, await warm_leases(client, kind)) == ("1\n", before + 1)


async def test_a_warm_sandbox_that_is_removed_by_hand_is_not_handed_out(tmp_path: Path) -> None:
    with sidecar(tmp_path, warm='{"python": 1}') as running:

        async def only_one() -> bool:
            return len(await running.containers()) == 1

        async with running.client() as client:
            await until_level(client, "python", 1)
            # Those of the sidecar's own test may still be on their way out.
            await until(only_one)
            await docker("rm", "-f", *await running.containers())
            ran = await execute(client, "python", "print('alive')")
            assert ran.stdout == "alive\n"


async def test_what_is_warm_is_of_the_image_as_it_is_now(tmp_path: Path) -> None:
    async with own_images() as prefix:
        with sidecar(tmp_path, warm='{"python": 2}', image_prefix=prefix) as running:
            async with running.client() as client:
                await until_level(client, "python", 2)
                old = set(await running.containers())
                await docker("tag", "mini-agent/sandbox-base:local", f"{prefix}python:local")

                async def is_drained() -> bool:
                    return not old & set(await running.containers())

                await until(is_drained)
                await until_level(client, "python", 2)
                ran = await execute(client, "python", "print('of the new one')")
                assert ran.stdout == "of the new one\n"


async def test_what_a_killed_sidecar_kept_warm_dies_and_its_successor_removes_it(
    tmp_path: Path,
) -> None:
    name = f"killed-{secrets.token_hex(4)}"
    with sidecar(tmp_path, instance=name, warm='{"python": 4, "bash": 1}') as first:
        async with first.client() as client:
            await until_level(client, "python", 4)
            async with asyncio.TaskGroup() as runs:
                asked = [runs.create_task(_attempt(client)) for _ in range(3)]
                await asyncio.sleep(0.5)
                first.process.kill()
            assert [task.result() for task in asked] == [None] * 3

    async def all_have_ended() -> bool:
        filters = ("--filter", f"label=mini-agent.instance={name}")
        return await docker("ps", "-q", *filters) == []

    await until(all_have_ended, within_s=40)
    with sidecar(tmp_path, instance=name) as second:
        await until_none(second)


async def test_told_to_stop_it_finishes_what_runs_and_takes_nothing_in(tmp_path: Path) -> None:
    slow = {"language": "bash", "code": "sleep 4; echo done"}
    with sidecar(tmp_path, warm='{"python": 3, "bash": 1}', at_once="1") as running:
        async with running.client() as client:
            await until_level(client, "python", 3)
            active = asyncio.create_task(client.post("/v1/execute", json=slow))
            await asyncio.sleep(0.3)
            queued = asyncio.create_task(client.post("/v1/execute", json=slow))
            await asyncio.sleep(0.3)
            running.process.send_signal(signal.SIGTERM)
            refused = await queued
            ready = await client.get("/readyz")
            finished = await active
        await running.ended()
        assert (refused.status_code, refused.json()["error"]["retryable"]) == (503, True)
        assert (ready.status_code, ready.json()["error"]["code"]) == (503, "stopping")
        assert finished.json()["stdout"] == "done\n"
        assert (running.process.returncode, await running.containers()) == (0, [])


async def test_what_does_not_finish_is_killed_and_its_caller_told(tmp_path: Path) -> None:
    with sidecar(tmp_path, drain_s="0.5", warm='{"python": 2}') as running:
        async with running.client() as client:
            asking = asyncio.create_task(client.post("/v1/execute", json=SLEEP))
            await asyncio.sleep(1)
            began = time.monotonic()
            running.process.send_signal(signal.SIGTERM)
            answer = await asking
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
        await running.ended()
        assert time.monotonic() - began < 40
        assert await running.containers() == []


async def test_told_twice_it_does_not_wait(tmp_path: Path) -> None:
    with sidecar(tmp_path, drain_s="60") as running:
        async with running.client() as client:
            asking = asyncio.create_task(client.post("/v1/execute", json=SLEEP))
            await asyncio.sleep(1)
            running.process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.2)
            running.process.send_signal(signal.SIGTERM)
            assert (await asking).status_code == 503
        await running.ended()
        assert await running.containers() == []


async def _attempt(client: httpx.AsyncClient) -> httpx.Response | None:
    try:
        return await client.post("/v1/execute", json=SLEEP)
    except httpx.TransportError:
        return None

"""Sandboxes end with their snippet, their client and their sidecar."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.docker.sidecar_process import (
    Sidecar,
    docker,
    execute,
    sidecar,
)

pytestmark = pytest.mark.docker

SLEEP = {"language": "bash", "code": "sleep 60", "limits": {"timeout_s": 60}}


async def until(running: Sidecar, enough: Callable[[list[str]], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not enough(await running.containers()):  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.1)


async def alive(instance: str) -> list[str]:
    return await docker("ps", "-q", "--filter", f"label=mini-agent.instance={instance}")


def some(containers: list[str]) -> bool:
    return len(containers) > 0


def none(containers: list[str]) -> bool:
    return containers == []


async def test_nothing_is_left_of_snippets_however_they_ended(
    real: Sidecar, client: httpx.AsyncClient
) -> None:
    await execute(client, "python", "print(1)")
    await execute(client, "bash", "sleep 9", limits={"timeout_s": 0.2})
    await execute(client, "python", "x = bytearray(900 << 20)")
    await execute(client, "bash", "sleep 50 & sleep 50 & kill -9 $$")
    await until(real, none, within_s=30)


async def test_a_client_that_leaves_takes_its_snippet_along(
    real: Sidecar, client: httpx.AsyncClient
) -> None:
    asking = asyncio.create_task(client.post("/v1/execute", json=SLEEP))
    await until(real, some, within_s=40)
    await asyncio.sleep(0.5)
    asking.cancel()
    await until(real, none, within_s=30)
    ran = await execute(client, "bash", "echo next")
    assert ran.stdout == "next\n"


async def test_a_client_that_leaves_at_once_leaves_nothing(
    real: Sidecar, client: httpx.AsyncClient
) -> None:
    for pause_s in (0.01, 0.03, 0.06, 0.1):
        asking = asyncio.create_task(client.post("/v1/execute", json=SLEEP))
        await asyncio.sleep(pause_s)
        asking.cancel()
    await asyncio.sleep(1)
    await until(real, none, within_s=30)


async def test_what_a_killed_sidecar_leaves_dies_and_its_successor_removes_it(
    tmp_path: Path,
) -> None:
    name = f"killed-{secrets.token_hex(4)}"
    with sidecar(tmp_path, instance=name) as first:
        async with first.client() as client:
            asking = asyncio.create_task(client.post("/v1/execute", json=SLEEP))
            await until(first, some, within_s=40)
            await asyncio.sleep(0.5)
            first.process.kill()
            with pytest.raises(httpx.TransportError):
                await asking
        async with asyncio.timeout(40):
            while await alive(name):  # noqa: ASYNC110 - the engine only answers
                await asyncio.sleep(0.1)
    with sidecar(tmp_path, instance=name) as second:
        await until(second, none, within_s=40)


async def test_a_sidecar_that_is_told_to_stop_leaves_nothing(tmp_path: Path) -> None:
    with sidecar(tmp_path) as running:
        async with running.client() as client:
            asking = asyncio.create_task(client.post("/v1/execute", json=SLEEP))
            await until(running, some, within_s=40)
            running.process.terminate()
            await asyncio.wait([asking])
            answer = asking.result()
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopping")
            await running.ended()
        assert await running.containers() == []


async def test_more_snippets_than_fit_wait_and_more_than_may_wait_are_sent_away(
    tmp_path: Path,
) -> None:
    snippet = {"language": "bash", "code": "sleep 3"}
    with sidecar(tmp_path, at_once="1", waiting="1") as running:
        async with running.client() as client, asyncio.TaskGroup() as asking:
            asked = [asking.create_task(client.post("/v1/execute", json=snippet)) for _ in range(3)]
    answers = sorted((task.result() for task in asked), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"].isdecimal()
    assert answers[2].json()["error"]["retryable"] is True

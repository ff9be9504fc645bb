"""Sandboxes that are ready before they are asked for."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import httpx
import pytest

from codex_sidecar.pool import inventory
from codex_sidecar.pool.stock import LeaseActivity
from tests.sidecar.conftest import Opened
from tests.sidecar.scripted_engine import ScriptedEngine

SNIPPET = {"language": "python", "code": "print(1)"}
PANDAS = {"language": "python", "code": "import pandas"}


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds as often as a test can stand."""
    monkeypatch.setattr(inventory, "INTERVAL_S", 0.02)
    monkeypatch.setattr(inventory, "IMAGES_INTERVAL_S", 0.02)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.01)


async def count_warm(client: httpx.AsyncClient, pool: str = "python") -> int:
    counts = (await client.get("/metrics")).text
    found = re.search(rf'sidecar_pool_level{{pool="{pool}"}} (\S+)', counts)
    return int(float(found[1])) if found else 0


async def until_level(client: httpx.AsyncClient, wanted: int, pool: str = "python") -> None:
    async with asyncio.timeout(30):
        while await count_warm(client, pool) != wanted:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def test_a_warm_sandbox_answers_without_a_word_to_the_engine(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(warm={"python": 1}) as client:
        await until_level(client, 1)
        before = list(engine.calls)
        answer = await client.post("/v1/execute", json=SNIPPET)
        assert (engine.calls, answer.json()["stdout"]) == (before, "confined\n")


async def test_a_sandbox_is_used_once_and_replaced(opened: Opened, engine: ScriptedEngine) -> None:
    async with opened(warm={"python": 2}) as client:
        await until_level(client, 2)
        first, second = engine.created()
        for _ in range(2):
            await client.post("/v1/execute", json=SNIPPET)
        await until(lambda: {f"DELETE /containers/{n}" for n in (first, second)} < {*engine.calls})
        await until_level(client, 2)
    assert len(engine.created()) == 4


async def test_all_that_is_warm_is_gone_in_the_end(opened: Opened, engine: ScriptedEngine) -> None:
    async with opened(warm={"python": 3, "bash": 1}) as client:
        await until_level(client, 3)
    removed = [call.rpartition("/")[2] for call in engine.calls if call.startswith("DELETE")]
    assert sorted(removed) == sorted(engine.created())


async def test_an_empty_pool_starts_one_at_once(opened: Opened, engine: ScriptedEngine) -> None:
    async with opened(warm={"python": 0}) as client:
        answer = await client.post("/v1/execute", json=SNIPPET)
    assert answer.json()["stdout"] == "confined\n"


async def test_other_limits_than_usual_are_started_for(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(warm={"python": 1}) as client:
        await until_level(client, 1)
        more = {"limits": {"memory_mb": 300}}
        answer = (await client.post("/v1/execute", json=SNIPPET | more)).json()
        assert (answer["limits"]["memory_mb"], await count_warm(client)) == (300, 1)


async def test_a_deadline_of_its_own_is_no_reason_for_another_sandbox(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(warm={"python": 1}) as client:
        await until_level(client, 1)
        more = {"limits": {"timeout_s": 1.5, "output_bytes": 3}}
        answer = (await client.post("/v1/execute", json=SNIPPET | more)).json()
        assert len(engine.created()) == 1
    assert (answer["limits"]["timeout_s"], answer["stdout"]) == (1.5, "con")


async def test_what_imports_pandas_gets_one_that_has_and_else_one_that_can(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(warm={"python": 1, "data": 1}) as client:
        await until_level(client, 1)
        await until_level(client, 1, "data")
        await client.post("/v1/execute", json=PANDAS)
        assert (await count_warm(client), await count_warm(client, "data")) == (1, 0)
        await client.post("/v1/execute", json=PANDAS)
        assert await count_warm(client) == 0
    assert {str(body["Cmd"]) for body in engine.bodies.values()} == {
        "['4800.0', 'plain']",
        "['4800.0', 'data']",
    }


async def test_one_that_died_while_it_waited_is_not_handed_out(
    opened: Opened, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(warm={"python": 2}) as client:
        await until_level(client, 2)
        dead = engine.created()
        monkeypatch.setattr(inventory, "INTERVAL_S", 60.0)
        await engine.hang_up()
        answer = await client.post("/v1/execute", json=SNIPPET)
        assert answer.json()["status"] == "ok"
        await until(lambda: {f"DELETE /containers/{name}" for name in dead} < {*engine.calls})


async def test_one_that_died_while_it_waited_is_replaced(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(warm={"python": 1}) as client:
        await until_level(client, 1)
        await engine.hang_up()
        await until(lambda: len(engine.created()) == 2)
        await until_level(client, 1)


async def test_another_image_drains_what_is_of_the_old_one(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(warm={"python": 2}) as client:
        await until_level(client, 2)
        old = engine.created()
        engine.version = "2"
        await until(lambda: {f"DELETE /containers/{name}" for name in old} < {*engine.calls})
        await until_level(client, 2)
    assert len(engine.created()) == 4


async def test_an_engine_that_refuses_to_fill_is_tried_again_after_a_pause(
    opened: Opened, engine: ScriptedEngine
) -> None:
    engine.refusals = [(500, "no space left on device")]
    async with opened(warm={"python": 1}) as client:
        await until(lambda: not engine.refusals)
        assert await count_warm(client) == 0
        assert (await client.post("/v1/execute", json=SNIPPET)).status_code == 200
        await until_level(client, 1)


async def test_a_name_that_is_taken_is_left_alone_and_another_tried(
    opened: Opened, engine: ScriptedEngine
) -> None:
    engine.refusals = [(409, "the name is in use")] * 2
    async with opened() as client:
        answer = await client.post("/v1/execute", json=SNIPPET)
    assert answer.status_code == 200
    removed = [call for call in engine.calls if call.startswith("DELETE")]
    assert len(removed) == len(engine.created()) == 1


async def test_work_for_later_waits_while_requests_pass(
    opened: Opened, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = asyncio.Event()
    monkeypatch.setattr(LeaseActivity, "wait_until_quiet", lambda _: still.wait())
    async with opened(warm={"python": 2}) as client:
        still.set()
        await until_level(client, 2)
        still.clear()
        await client.post("/v1/execute", json=SNIPPET)
        await asyncio.sleep(0.05)
        assert not any(call.startswith("DELETE") for call in engine.calls)
        still.set()
        await until_level(client, 2)

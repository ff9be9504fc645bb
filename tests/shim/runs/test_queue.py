"""How many runs there are at a time, and what one caller may ask for."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from mini_agent_shim.http.auth import RateLimiter
from mini_agent_shim.settings import ShimSettings
from tests.shim.runs.run_client import (
    REQUEST,
    get_detail,
    start_run,
    wait_for_end,
)
from tests.shim.scripted import ScriptedModel, SilentModel, open_client, text_turn


async def test_a_run_waits_for_its_place_and_is_begun_when_there_is_one() -> None:
    model = SilentModel()
    async with open_client(model, ShimSettings(runs_at_once=1)) as client:
        first = await start_run(client)
        second = await start_run(client)
        await model.asked.wait()
        assert (await get_detail(client, second)).state == "queued"
        model.asked.clear()
        await client.post(f"/runs/{first}/cancel")
        await asyncio.wait_for(model.asked.wait(), 30)
        assert (await get_detail(client, second)).state == "running"


async def test_a_run_that_waits_can_be_cancelled_and_never_begins() -> None:
    model = SilentModel()
    async with open_client(model, ShimSettings(runs_at_once=1)) as client:
        await start_run(client)
        second = await start_run(client)
        cancelled = await client.post(f"/runs/{second}/cancel")
        told = await get_detail(client, second)
    assert cancelled.json()["state"] == "cancelled"
    assert (told.started_at, told.result) == (None, None)


async def test_more_than_may_wait_are_told_when_to_come_back() -> None:
    settings = ShimSettings(runs_at_once=1, runs_waiting=1)
    async with open_client(SilentModel(), settings) as client:
        await start_run(client)
        await start_run(client)
        refused = await client.post("/agent/run", json=REQUEST)
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["retryable"] is True


async def test_two_hundred_runs_at_a_time_are_all_done_once() -> None:
    model = ScriptedModel([text_turn("42")] * 200)
    async with open_client(model, ShimSettings(runs_at_once=50)) as client:
        begun_ids = await asyncio.gather(*(start_run(client) for _ in range(200)))
        over = [await wait_for_end(client, run_id) for run_id in begun_ids]
    assert {told.state for told in over} == {"done"}
    assert len(set(begun_ids)) == len(model.requests) == 200


def test_a_rate_is_a_burst_and_then_one_after_the_other() -> None:
    now = [0.0]
    rates = RateLimiter(lambda: now[0])
    assert [rates.wait_s("a", 2) for _ in range(2)] == [0, 0]
    assert rates.wait_s("a", 2) == 30
    assert rates.wait_s("b", 2) == 0
    now[0] = 30
    assert (rates.wait_s("a", 2), rates.wait_s("a", 2)) == (0, 30)

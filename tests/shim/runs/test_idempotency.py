"""The same Idempotency-Key with the same request is the same run."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import httpx

from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.shim.runs.run_client import (
    KEYED,
    REQUEST,
    get_detail,
    list_run_ids,
)
from tests.shim.scripted import ScriptedModel, SilentModel, open_client, text_turn
from tests.shim.serving import serve_app


async def test_what_is_asked_again_is_answered_and_not_done_again() -> None:
    model = ScriptedModel([text_turn("42")])
    async with open_client(model) as client:
        first = await client.post("/agent/run", json=REQUEST, headers=KEYED)
        again = await client.post("/agent/run", json=REQUEST, headers=KEYED)
        streamed = await client.post("/agent/run", json=REQUEST | {"stream": True}, headers=KEYED)
        followed = await client.post(
            "/agent/run", json=REQUEST | {"background": True}, headers=KEYED
        )
    assert again.json() == first.json()
    assert again.headers["x-run-id"] == first.headers["x-run-id"]
    assert (first.headers.get("idempotent-replayed"), len(model.requests)) == (None, 1)
    assert again.headers["idempotent-replayed"] == "true"
    assert "event: stopped\n" in streamed.text
    assert followed.json()["id"] == first.headers["x-run-id"]


async def test_one_key_for_two_requests_is_a_conflict() -> None:
    async with open_client(ScriptedModel([text_turn("42")])) as client:
        await client.post("/agent/run", json=REQUEST, headers=KEYED)
        other = await client.post("/agent/run", json=REQUEST | {"seed": 1}, headers=KEYED)
    assert other.status_code == HTTPStatus.CONFLICT
    assert other.json()["error"]["code"] == "idempotency_key_reused"


async def test_two_at_a_time_are_one_run() -> None:
    model = ScriptedModel([text_turn("42")])
    async with open_client(model) as client:
        both = await asyncio.gather(
            *(client.post("/agent/run", json=REQUEST, headers=KEYED) for _ in range(2))
        )
    assert both[0].json() == both[1].json()
    assert len(model.requests) == 1


async def test_who_hangs_up_may_come_back_for_the_answer() -> None:
    model = SilentModel()
    with serve_app(create_app(ShimSettings(), model=model)) as url:
        async with httpx.AsyncClient(base_url=url) as client:
            asking = asyncio.create_task(client.post("/agent/run", json=REQUEST, headers=KEYED))
            while not model.asked.is_set():  # noqa: ASYNC110 - it is set in another loop
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.wait({asking})
            (run_id,) = await list_run_ids(client)
            assert (await get_detail(client, run_id)).state == "running"
            followed = await client.post(
                "/agent/run", json=REQUEST | {"background": True}, headers=KEYED
            )
            await client.post(f"/runs/{run_id}/cancel")
    assert followed.json()["id"] == run_id


async def test_a_run_that_could_not_begin_may_be_asked_for_again() -> None:
    asked = REQUEST | {"tool_backend": "auto"}
    async with open_client(ScriptedModel([])) as client:
        for _ in range(2):
            answer = await client.post("/agent/run", json=asked, headers=KEYED)
            assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert len(await list_run_ids(client)) == 2

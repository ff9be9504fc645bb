"""Whose turn it is where some snippets belong to sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from tests.sidecar.conftest import Opened
from tests.sidecar.scripted_session import SessionRunner
from tests.sidecar.session_client import open_session

Post = Callable[[str], Awaitable[httpx.Response]]


async def test_what_a_caller_asks_for_in_sessions_does_not_overtake_the_rest(
    opened: Opened, runner: SessionRunner
) -> None:
    async with opened(at_once=1, waiting=10) as client:
        sessions = [await open_session(client) for _ in range(2)]

        async def single(code: str) -> httpx.Response:
            return await client.post("/v1/execute", json={"language": "bash", "code": code})

        async def post(by: Post, code: str) -> asyncio.Task[httpx.Response]:
            task = asyncio.ensure_future(by(code))
            await asyncio.sleep(0.2)
            return task

        order = (single, single, single, sessions[0].post, single, sessions[1].post)
        first = await post(single, "wait")
        tasks = [await post(by, f"print {number}") for number, by in enumerate(order)]
        runner.go_on.set()
        answers = await asyncio.gather(first, *tasks)
    assert {answer.status_code for answer in answers} == {200}
    asked = [each.code for each in runner.orders]
    assert asked == ["wait", *(f"print {number}" for number in range(len(order)))]

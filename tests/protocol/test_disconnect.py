"""Work for a client ends with the client."""

from __future__ import annotations

import asyncio

import pytest

from mini_agent_protocol.asgi.disconnect import ClientDisconnected, run_while_connected
from tests.protocol.apps import messages

GONE = {"type": "http.disconnect"}


async def answer() -> int:
    return 42


async def refuse() -> int:
    raise ValueError("no")


async def test_the_result_of_work_comes_back() -> None:
    assert await run_while_connected(messages(), answer()) == 42


async def test_what_work_raises_is_raised() -> None:
    with pytest.raises(ValueError, match="no"):
        await run_while_connected(messages(), refuse())


async def test_a_client_that_leaves_ends_the_work_whatever_that_raises_on_its_way_out() -> None:
    ended = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
            raise ValueError("too late")

    with pytest.raises(ClientDisconnected):
        await run_while_connected(messages({"type": "http.request"}, GONE), endless())
    assert ended.is_set()

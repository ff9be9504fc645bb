"""A server that stays silent: asked once more beside it, and the first reply counts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from mini_agent.agent import model_turn
from mini_agent.agent.model_turn import hedge_request
from tests.agent.checked_run import wait_until


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_turn, "MIN_HEDGE_TIME_S", 0.1)


class Server:
    """Takes `delays` seconds for its replies, one after the other; a negative one is an error."""

    def __init__(self, *delays: float) -> None:
        self.delays = list(delays)
        self.cancelled = 0
        self.silences = 0

    def silent(self) -> None:
        self.silences += 1

    def ask(self) -> Coroutine[object, object, str]:
        return self._reply(self.delays.pop(0))

    async def _reply(self, delay: float) -> str:
        try:
            await asyncio.sleep(abs(delay))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if delay < 0:
            raise ValueError("broken")
        return f"after {delay}"


async def test_one_that_answers_is_asked_once() -> None:
    server = Server(0.0)
    assert await hedge_request(server.ask, 1, server.silent) == "after 0.0"
    assert (server.silences, server.delays) == (0, [])


async def test_one_that_is_silent_is_asked_once_more_and_the_first_request_is_dropped() -> None:
    server = Server(60, 0.0)
    assert await hedge_request(server.ask, 0.2, server.silent) == "after 0.0"
    assert (server.silences, server.cancelled) == (1, 1)


async def test_a_slow_first_reply_still_counts() -> None:
    server = Server(0.15, 60)
    assert await hedge_request(server.ask, 0.2, server.silent) == "after 0.15"
    assert server.cancelled == 1


async def test_an_error_counts_when_there_is_no_reply() -> None:
    server = Server(-0.15, 0.15)
    assert await hedge_request(server.ask, 0.2, server.silent) == "after 0.15"
    with pytest.raises(ValueError, match="broken"):
        await hedge_request(Server(-0.15, -0.05).ask, 0.2, server.silent)


async def test_one_that_fails_at_once_is_left_to_others() -> None:
    server = Server(-0.0001, 0)
    with pytest.raises(ValueError, match="broken"):
        await hedge_request(server.ask, 1, server.silent)
    assert server.silences == 0


async def test_with_little_time_there_is_no_second_request() -> None:
    server = Server(0.05)
    assert await hedge_request(server.ask, 0.06, server.silent) == "after 0.05"


async def test_who_is_cancelled_cancels_both() -> None:
    server = Server(60, 60)
    asking = asyncio.ensure_future(hedge_request(server.ask, 0.2, server.silent))
    await wait_until(lambda: not server.delays)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert server.cancelled == 2

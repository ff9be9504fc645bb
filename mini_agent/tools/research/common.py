"""Asking a service that may be busy: a few times, further and further apart, within its time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from mini_agent.errors import ToolsUnavailable
from mini_agent.net.http_exchange import (
    Answered,
    Ask,
    HttpExchange,
    NoAnswer,
)

MAY_PASS: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
SHORTEST_WAIT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """Up to `tries` requests within `seconds`.

    The wait between them is at random below `first_wait_s`, then below twice as much, and so on,
    so that many callers do not come back together; a `Retry-After` comes before that.
    """

    seconds: float = 30.0
    tries: int = 4
    first_wait_s: float = 1.0

    async def answer(self, exchange: HttpExchange, ask: Ask) -> Answered:
        """The service's answer, the last one when it stays busy; `ToolsUnavailable` if none came.

        Only for requests that may be repeated.
        """
        end = asyncio.get_running_loop().time() + self.seconds
        try:
            async with asyncio.timeout_at(end):
                return await self._answer(exchange, ask, end)
        except TimeoutError as late:
            raise ToolsUnavailable(
                f"{exchange.address} did not answer within {self.seconds:g} s"
            ) from late

    async def _answer(self, exchange: HttpExchange, ask: Ask, end: float) -> Answered:
        for tried in range(self.tries - 1):
            told = None
            try:
                answered = await exchange.answer(ask)
                if answered.status not in MAY_PASS:
                    return answered
                told = answered.retry_after_s
            except NoAnswer:
                answered = None
            wait = self._wait(tried) if told is None else max(SHORTEST_WAIT_S, told)
            if answered and asyncio.get_running_loop().time() + wait >= end:
                return answered
            await asyncio.sleep(wait)
        return await exchange.answer(ask)

    def _wait(self, tried: int) -> float:
        longest = self.first_wait_s * 2**tried
        return random.uniform(min(SHORTEST_WAIT_S, longest), longest)  # noqa: S311  no secret

"""Whose turn it is: so many snippets at once, so many waiting, the rest are told to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from codex_sidecar.errors import Busy

LONGEST_WAIT_S: Final = 30.0
TYPICAL_RUN_S: Final = 1


class Turns:
    """First come, first served."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._at_once, self._most_waiting = at_once, waiting
        self._free = asyncio.Semaphore(at_once)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn; `Busy` when too many wait already or the wait is too long."""
        await self._wait()
        try:
            yield
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if self._free.locked() and self._waiting >= self._most_waiting:
            raise self._busy("and as many as may wait are waiting")
        self._waiting += 1
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await self._free.acquire()
        except TimeoutError:
            raise self._busy(f"and none was free for {LONGEST_WAIT_S:g} s") from None
        finally:
            self._waiting -= 1

    def _busy(self, why: str) -> Busy:
        seconds = max(1, round(self._waiting / self._at_once) * TYPICAL_RUN_S)
        return Busy(f"all {self._at_once} sandboxes are in use {why}", retry_after_s=seconds)

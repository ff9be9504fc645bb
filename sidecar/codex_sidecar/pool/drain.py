"""The end of a sidecar that is told to stop: no more turns, some time for those who have one."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

log = logging.getLogger(__name__)


class Door(Protocol):
    """Where others ask whether there is any use in coming."""

    def stop(self) -> None:
        """Says no from now on."""
        ...


class Queue(Protocol):
    """Whose turn it is."""

    def close(self) -> None:
        """Gives no more turns."""
        ...

    async def until_idle(self) -> None:
        """Returns when nobody has a turn."""
        ...


class Sandboxes(Protocol):
    """Those that are warm, and those in use."""

    def close_stocks(self) -> None:
        """Nothing is kept warm from now on."""
        ...

    async def kill_leased(self) -> None:
        """Ends whatever still runs."""
        ...


class Drain:
    """What runs may go on for `patience_s`; its callers are told when it is killed after that."""

    def __init__(self, door: Door, turns: Queue, pool: Sandboxes, patience_s: float) -> None:
        self._door, self._turns, self._pool = door, turns, pool
        self._patience_s = patience_s
        self._no_more_patience = asyncio.Event()

    async def run(self) -> None:
        """Returns when nothing runs any more."""
        log.info("stopping", extra={"patience_s": self._patience_s})
        self._door.stop()
        self._turns.close()
        self._pool.close_stocks()
        idle = asyncio.create_task(self._turns.until_idle())
        hurry = asyncio.create_task(self._no_more_patience.wait())
        try:
            await asyncio.wait(
                {idle, hurry}, timeout=self._patience_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not idle.done():
                log.warning("snippets are killed to stop")
                await self._pool.kill_leased()
        finally:
            for task in (idle, hurry):
                task.cancel()

    def hurry(self) -> None:
        """Kills now."""
        self._no_more_patience.set()

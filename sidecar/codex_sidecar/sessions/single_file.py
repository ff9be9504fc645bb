"""Calls to one thing, one after the other, few of them waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from codex_sidecar.errors import SessionBusy

MOST_WAITING: Final = 4


class SingleFile:
    """Who comes first is served first; who finds too many waiting is sent away."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._inside = 0

    @property
    def is_empty(self) -> bool:
        """Whether nobody is being served or waits."""
        return self._inside == 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for its turn; `SessionBusy` when as many as may wait are waiting."""
        if self._inside > MOST_WAITING:
            raise SessionBusy(MOST_WAITING)
        self._inside += 1
        try:
            async with self._lock:
                yield
        finally:
            self._inside -= 1

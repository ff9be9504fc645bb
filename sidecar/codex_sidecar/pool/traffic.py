"""Whether requests that wait for a sandbox are passing through, so that other work keeps still."""

from __future__ import annotations

import asyncio
import time
from typing import Final

LULL_S: Final = 0.03
PATIENCE_S: Final = 0.5


class Traffic:
    """A request from stock takes milliseconds; making or removing a sandbox takes all cores."""

    def __init__(self) -> None:
        self._last = 0.0

    def passes(self) -> None:
        """A request is passing."""
        self._last = time.monotonic()

    async def lull(self) -> None:
        """Returns when none has passed for a moment, or has not ceased to for too long."""
        patience = time.monotonic() + PATIENCE_S
        while self._last + LULL_S > (now := time.monotonic()) and now < patience:  # noqa: ASYNC110
            await asyncio.sleep(LULL_S)

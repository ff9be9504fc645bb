"""When to try again what has failed: later each time, and not all at the same moment."""

from __future__ import annotations

import random
import time
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 30.0


class BackOff:
    """Of one thing that can fail."""

    def __init__(self) -> None:
        self._failures = 0
        self._until = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it may be tried."""
        return time.monotonic() >= self._until

    def failed(self) -> float:
        """It has failed; the seconds until it may be tried again."""
        pause_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        pause_s *= 0.5 + random.random() / 2  # noqa: S311 - it only spreads the attempts
        self._failures += 1
        self._until = time.monotonic() + pause_s
        return pause_s

    def succeeded(self) -> None:
        """It works again."""
        self._failures, self._until = 0, 0.0

"""How often something may be done: so many times a minute, all at once or spread."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final

MOST_NAMES: Final = 10_000


class Rates:
    """Counts by name; the names that were used least recently are forgotten first."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str, a_minute: int) -> float:
        """0 where it may be done now, and is counted; else in how many seconds it may be."""
        now = self._clock()
        left, counted = self._left.pop(name, (float(a_minute), now))
        left = min(a_minute, left + (now - counted) * a_minute / 60)
        allowed = left >= 1
        self._left[name] = (left - 1 if allowed else left, now)
        if len(self._left) > MOST_NAMES:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / a_minute

"""How much is asked for at once, as far as the recent past tells."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

BURST_S: Final = 5.0
HALF_LIFE_S: Final = 60.0


class Demand:
    """The most that was taken within a burst's time; half of it is forgotten each minute.

    Times are seconds of a clock that does not jump.
    """

    def __init__(self) -> None:
        self._recent = deque[float]()
        self._peak = 0.0
        self._peak_at = 0.0

    def note(self, now: float) -> None:
        """One more was asked for."""
        self._recent.append(now)
        while self._recent[0] <= now - BURST_S:
            self._recent.popleft()
        self._peak, self._peak_at = max(self._left(now), float(len(self._recent))), now

    def expected(self, now: float) -> int:
        """As many may be asked for in the next burst."""
        # A demand that has all but faded is none, or every kind would keep one member for ever.
        return math.ceil(self._left(now) - 0.5)

    def _left(self, now: float) -> float:
        return float(self._peak * 0.5 ** ((now - self._peak_at) / HALF_LIFE_S))

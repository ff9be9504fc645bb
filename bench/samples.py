"""Samples of one thing, and what they come to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(slots=True)
class Samples:
    """Milliseconds, in the order they were taken."""

    label: str
    taken: list[float] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """The median."""
        return self.at(0.50)

    @property
    def p95(self) -> float:
        """Nineteen of twenty are no slower."""
        return self.at(0.95)

    @property
    def p99(self) -> float:
        """Ninety-nine of a hundred are no slower; with fewer than 100 samples, the slowest."""
        return self.at(0.99)

    def at(self, share: float) -> float:
        """The smallest sample that is no smaller than this share of all (nearest rank)."""
        if not self.taken:
            return math.nan
        return sorted(self.taken)[max(0, math.ceil(share * len(self.taken)) - 1)]

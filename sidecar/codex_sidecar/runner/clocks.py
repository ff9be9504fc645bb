"""Which of the two clocks ends a snippet that is late: the runner's, or ours outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Clocks:
    """How much later than a snippet's deadline the runner ends it, and how much later we do."""

    inside_s: float
    outside_s: float


# A sandbox that ends with its snippet is killed from outside; in one that is kept the runner comes
# first, as it can end the snippet alone.
FROM_OUTSIDE: Final = Clocks(inside_s=2.0, outside_s=0.0)
FROM_INSIDE: Final = Clocks(inside_s=0.0, outside_s=3.0)

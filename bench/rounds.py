"""Rounds of samples: the rows in random order, so that all share the machine's disturbances."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

from bench.row import Row
from bench.samples import Samples

WARM_UP: int = 2


async def run_rounds(
    rows: Sequence[Row], n: int, settle: Callable[[], Awaitable[None]]
) -> dict[str, Samples]:
    """Sample every row `n` times; `settle` runs before each sample and is not timed."""
    samples = {row.key: Samples(row.label) for row in rows}
    for number in range(-WARM_UP, n):
        drawn = [row for row in rows for _ in range(row.times if number >= 0 else 1)]
        random.shuffle(drawn)
        for row in drawn:
            await settle()
            took = await _time(row)
            if number >= 0:
                samples[row.key].taken.append(took)
        _progress(f"round {max(0, number + 1)} of {n}")
    _progress("")
    return samples


async def _time(row: Row) -> float:
    began = time.perf_counter()
    printed = await row.once()
    took = (time.perf_counter() - began) * 1000
    if printed.strip() != row.expected():
        raise SystemExit(f"{row.label}: printed {printed!r}, not {row.expected()!r}")
    return took


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()

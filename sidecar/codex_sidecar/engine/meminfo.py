"""The memory of this machine, as the kernel counts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACE: Final = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Meminfo:
    """In MiB; `available` is what can be had without taking it from anybody."""

    total_mb: int
    available_mb: int
    swap_mb: int


def meminfo(place: Path = PLACE) -> Meminfo:
    """The memory at this moment."""
    lines = (line.split() for line in place.read_text().splitlines())
    counts = {words[0]: int(words[1]) >> 10 for words in lines}
    return Meminfo(counts["MemTotal:"], counts["MemAvailable:"], counts["SwapTotal:"])

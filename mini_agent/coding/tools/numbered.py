"""Lines with their numbers, as the model gets to read files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

AROUND: Final = 4


def numbered(lines: Iterable[str], first: int = 1) -> str:
    """The number right-aligned in five places, an arrow, the line."""
    return "".join(f"{number:5}→{line}\n" for number, line in enumerate(lines, first))


def lines_of(text: str) -> list[str]:
    """The lines of a text; only a line feed ends one."""
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def surroundings(text: str, first: int, count: int) -> str:
    """`count` lines from the line `first` on, with those around them."""
    start = max(1, first - AROUND)
    return numbered(lines_of(text)[start - 1 : first - 1 + count + AROUND], start)

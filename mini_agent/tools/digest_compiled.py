"""What the compilers and runtimes of Go and Rust say, cut down to the first causes."""

from __future__ import annotations

import re
from typing import Final

CAUSES: Final = 3
BLOCK_LINES: Final = 14
GO_PLACE: Final = re.compile(r"^(?:\./|vet: )?\S+\.go:\d+:\d+: ")
GO_FRAME: Final = re.compile(r"^\t\S+\.go:\d+")
GOS_OWN: Final = re.compile(r"/(?:usr|opt)/\S*go\S*/src/|/runtime/")
RUST_ERROR: Final = re.compile(r"^error(\[E\d+\])?: ")
RUST_BLOCK: Final = re.compile(r"^(error|warning|note)(\[E?\w+\])?: ")
RUST_TALLY: Final = re.compile(r"^error: (aborting due to|could not compile)")


def go_digest(lines: list[str]) -> list[str]:
    """The first places the compiler names, or a panic with the user's own frame."""
    places = [line for line in lines if GO_PLACE.match(line)]
    if places:
        return [*places[:CAUSES], *_left_out(len(places), "places")]
    message = _until(lines, "goroutine ")
    frames = [line for line in lines if GO_FRAME.match(line)]
    own = [line for line in frames if not GOS_OWN.search(line)]
    return [*message, *(own or frames)[:1]]


def rust_digest(lines: list[str]) -> list[str]:
    """The first error with its lines of code; warnings are left out."""
    starts = [index for index, line in enumerate(lines) if RUST_BLOCK.match(line)]
    errors = [
        index
        for index in starts
        if RUST_ERROR.match(lines[index]) and not RUST_TALLY.match(lines[index])
    ]
    if not errors:
        return lines
    end = next((index for index in starts if index > errors[0]), len(lines))
    block = [line for line in lines[errors[0] : end] if line.strip()]
    return [*block[:BLOCK_LINES], *_left_out(len(errors), "errors", shown=1)]


def _until(lines: list[str], sign: str) -> list[str]:
    message = []
    for line in lines:
        if line.startswith(sign):
            break
        if line.strip():
            message.append(line)
    return message[: 2 * CAUSES]


def _left_out(count: int, what: str, shown: int = CAUSES) -> list[str]:
    return [f"[and {count - shown} more {what}]"] if count > shown else []

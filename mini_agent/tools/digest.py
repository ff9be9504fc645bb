"""What a failed program printed, cut down to what a reader needs to repair it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Final

from mini_agent.tools.digest_compiled import go_digest, rust_digest
from mini_agent.tools.observation import node_digest, python_digest

# A complaint this short is shown as it is.
SHORT: Final = 600
LONGEST_LINE: Final = 300

Digest = Callable[[list[str]], list[str]]
SIGNS: Final[tuple[tuple[re.Pattern[str], Digest], ...]] = (
    (
        re.compile(r"^Traceback \(most recent call last\):|^  File \".*\", line \d+", re.MULTILINE),
        python_digest,
    ),
    (re.compile(r"^error(\[E\d+\])?: .*\n +--> ", re.MULTILINE), rust_digest),
    (re.compile(r"^goroutine \d+ \[|^(\./|vet: )?\S+\.go:\d+:\d+: ", re.MULTILINE), go_digest),
    (re.compile(r"^    at .+[:(]\S*:\d+:\d+\)?$|^Node\.js v\d", re.MULTILINE), node_digest),
)


def failure_digest(stderr: str) -> str:
    """`stderr` of a failed program: the place, the line and the message, without the rest."""
    if len(stderr) <= SHORT:
        return stderr
    for sign, digest in SIGNS:
        if sign.search(stderr):
            return collapsed("\n".join(digest(stderr.splitlines())))
    return collapsed(stderr)


def collapsed(text: str) -> str:
    """`text` with equal lines in a row told once, and very long lines cut in their middle."""
    return "\n".join(_collapsed_lines(text))


def _collapsed_lines(text: str) -> Iterator[str]:
    for line, same in groupby(text.split("\n")):
        times = sum(1 for _ in same)
        shown = _shortened(line)
        if times > 2:
            yield shown
            yield f"[the same line {times - 1} more times]"
        else:
            yield from [shown] * times


def _shortened(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    half = LONGEST_LINE // 2
    return f"{line[:half]} [... {len(line) - 2 * half} characters ...] {line[-half:]}"

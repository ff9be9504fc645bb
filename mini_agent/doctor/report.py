"""The checks for people, as lines, and for programs, as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

from mini_agent.doctor.check import Check, State
from mini_agent.terminal import visible

SHOWN: Final[dict[State, str]] = {"ok": "ok", "warn": "warn", "fail": "FAIL", "skipped": "-"}
COLOURS: Final[dict[State, str]] = {"ok": "32", "warn": "33", "fail": "1;31", "skipped": "2"}
STATES: Final[tuple[State, ...]] = ("ok", "warn", "fail", "skipped")


def is_well(checks: Sequence[Check]) -> bool:
    """Whether nothing failed."""
    return all(check.state != "fail" for check in checks)


def as_text(checks: Sequence[Check], *, in_colour: bool) -> str:
    """A line a check, under the name of its group, and how many there are of each kind."""
    return "\n".join([*_lines(checks, in_colour=in_colour), "", _sum(checks)])


def as_json(checks: Sequence[Check]) -> str:
    """`ok`, and the checks with all their fields."""
    told = {"ok": is_well(checks), "checks": [asdict(check) for check in checks]}
    return json.dumps(told, indent=2)


def _lines(checks: Sequence[Check], *, in_colour: bool) -> Iterator[str]:
    width = max((len(check.name) for check in checks), default=0)
    group = ""
    for check in checks:
        if check.group != group:
            yield f"{chr(10) if group else ''}{check.group}"
            group = check.group
        word = f"{SHOWN[check.state]:<4}"
        state = f"\x1b[{COLOURS[check.state]}m{word}\x1b[0m" if in_colour else word
        yield f"  {state}  {check.name:<{width}}  {_one_line(check.detail)}"
        if check.fix and check.state != "ok":
            yield f"        {'':<{width}}  -> {_one_line(check.fix)}"


# Details quote what others wrote: servers, programs, files.
def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def _sum(checks: Sequence[Check]) -> str:
    counts = Counter(check.state for check in checks)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])

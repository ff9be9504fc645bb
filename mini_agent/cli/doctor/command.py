"""The checks for people, as lines, and for programs, as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from operator import attrgetter
from typing import Final

from mini_agent.cli.doctor.check import Check, State
from mini_agent.net.terminal_text import visible

SHOWN: Final[dict[State, str]] = {"ok": "ok", "warn": "warn", "fail": "FAIL", "skipped": "-"}
COLOURS: Final[dict[State, str]] = {
    "ok": "green",
    "warn": "yellow",
    "fail": "bold red",
    "skipped": "dim",
}
# What is no terminal has no edge: a program that reads lines finds each check on one.
ENDLESS: Final = 10_000
NARROWEST: Final = 40
STATES: Final[tuple[State, ...]] = ("ok", "warn", "fail", "skipped")


def is_well(checks: Sequence[Check]) -> bool:
    """Whether nothing failed."""
    return all(check.state != "fail" for check in checks)


def as_text(checks: Sequence[Check], *, in_colour: bool, width: int = ENDLESS) -> str:
    """A table of checks a group, within `width` columns, and how many there are of each kind."""
    shown = _lines(checks, in_colour=in_colour, width=max(width, NARROWEST))
    return "\n".join([*shown, "", _sum(checks)]).lstrip("\n")


def as_json(checks: Sequence[Check]) -> str:
    """`ok`, and the checks with all their fields."""
    told = {"ok": is_well(checks), "checks": [asdict(check) for check in checks]}
    return json.dumps(told, indent=2)


def _lines(checks: Sequence[Check], *, in_colour: bool, width: int) -> Iterator[str]:
    names = max((len(check.name) for check in checks), default=0)
    for group, members in groupby(checks, key=attrgetter("group")):
        yield from ("", group) if group else ()
        yield from _table(tuple(members), in_colour=in_colour, width=width, names=names)


def _table(checks: Sequence[Check], *, in_colour: bool, width: int, names: int) -> Iterator[str]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for least in (6, min(names, width // 2), None):
        table.add_column(min_width=least, no_wrap=least is not None, overflow="fold")
    for check in checks:
        words = [_one_line(check.detail)]
        words += [f"-> {_one_line(check.fix)}"] if check.fix and check.state != "ok" else []
        state = Text(f"  {SHOWN[check.state]}", COLOURS[check.state])
        table.add_row(state, Text(_one_line(check.name)), Text("\n".join(words)))
    console = Console(
        width=width,
        color_system="standard" if in_colour else None,
        force_terminal=in_colour,
        no_color=not in_colour,
        legacy_windows=False,
    )
    with console.capture() as shown:
        console.print(table)
    yield from (line.rstrip() for line in shown.get().splitlines())


# Details quote what others wrote: servers, programs, files.
def _one_line(text: str) -> str:
    return visible(" ".join(text.split()))


def _sum(checks: Sequence[Check]) -> str:
    counts = Counter(check.state for check in checks)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])

"""`mini-agent doctor`, carried out.

All checks, as a table, and how they are gone through.

The checks for people, as lines, and for programs, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from operator import attrgetter
from typing import Final

from mini_agent.cli.doctor.assistant import assistant_on, mcp_servers_on
from mini_agent.cli.doctor.check import (
    Around,
    Check,
    Row,
    State,
    fail,
    ok,
    skipped,
)
from mini_agent.cli.doctor.docker import Docker, engine_facts
from mini_agent.cli.doctor.engine import (
    compose,
    disk,
    engine,
    images,
    limits,
)
from mini_agent.cli.doctor.leaks import leaks, no_leaks
from mini_agent.cli.doctor.model import keys, model
from mini_agent.cli.doctor.sandbox import canary
from mini_agent.cli.doctor.stack import ports, services
from mini_agent.coding.launch import LaunchConfig, read_launch_config
from mini_agent.coding.options import Options
from mini_agent.net.terminal_text import visible
from mini_agent.settings import Settings

PATIENCE_S: Final = 120.0
LEAKS: Final = (Row("left over", "leaks", no_leaks),)


def rows(launch: Callable[[], LaunchConfig]) -> tuple[Row, ...]:
    """The whole table."""
    return (
        Row("docker", "engine", engine),
        Row("docker", "compose", compose, needs_engine=True),
        Row("docker", "limits", limits, needs_engine=True),
        Row("docker", "disk", disk, needs_engine=True),
        Row("docker", "images", images, needs_engine=True),
        Row("stack", "ports", ports),
        Row("stack", "services", services),
        Row("sandbox", "canary", canary, needs_engine=True),
        Row("left over", "leaks", leaks, needs_engine=True),
        Row("model", "model", model),
        Row("model", "keys", keys),
        Row("assistant", "python", python),
        Row("assistant", "assistant", assistant_on(launch)),
        Row("assistant", "MCP servers", mcp_servers_on(launch)),
    )


async def python(_around: Around) -> Sequence[Check]:
    """What runs this."""
    return [ok("python", f"{platform.python_version()} on {sys.platform}")]


async def gone_through(table: Iterable[Row], around: Around) -> list[Check]:
    """Every check of the table, in its order; they are made side by side."""
    async with asyncio.TaskGroup() as looking:
        tasks = [looking.create_task(_looked(row, around)) for row in table]
    return [check for task in tasks for check in task.result()]


async def _looked(row: Row, around: Around) -> list[Check]:
    found: Sequence[Check]
    if row.needs_engine and around.engine is None:
        found = [skipped(row.name, "no Docker Engine answers")]
    else:
        found = await _in_time(row, around)
    return [replace(check, group=row.group) for check in found]


async def _in_time(row: Row, around: Around) -> Sequence[Check]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await row.look(around)
    except TimeoutError:
        late = f"took longer than {PATIENCE_S:g} s"
        return [fail(row.name, late, "try again when the machine is quiet")]
    except Exception as broken:  # noqa: BLE001  a check that breaks must not hide the others
        what = f"{type(broken).__name__}: {broken!s:.200}"
        return [fail(row.name, f"the check itself failed: {what}", "please report it")]


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


def run_doctor(options: Options, *, in_json: bool, only_leaks: bool) -> int:
    """0 when nothing failed, else 1."""
    variables = dict(os.environ)
    table = LEAKS if only_leaks else rows(lambda: read_launch_config(options, variables))
    checks = asyncio.run(_checked(table, variables))
    sys.stdout.write(f"{as_json(checks) if in_json else _shown(checks, variables)}\n")
    return 0 if is_well(checks) else 1


def _shown(checks: Sequence[Check], variables: Mapping[str, str]) -> str:
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else ENDLESS
    return as_text(checks, in_colour=is_terminal and "NO_COLOR" not in variables, width=width)


async def _checked(table: Sequence[Row], variables: Mapping[str, str]) -> list[Check]:
    docker = Docker(variables)
    facts, _ = await engine_facts(docker)
    return await gone_through(table, Around(variables, Settings(), docker, facts))

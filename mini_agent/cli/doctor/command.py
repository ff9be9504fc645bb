"""`mini-agent doctor`: run all checks and print them as a table or as JSON."""

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

from mini_agent.cli.doctor.assistant import build_assistant_check, build_mcp_check
from mini_agent.cli.doctor.check import (
    Check,
    CheckRow,
    DoctorContext,
    State,
    fail,
    ok,
    skipped,
)
from mini_agent.cli.doctor.docker import Docker, read_engine_facts
from mini_agent.cli.doctor.engine import (
    check_compose,
    check_disk,
    check_engine,
    check_images,
    check_limits,
)
from mini_agent.cli.doctor.leaks import check_leaks, require_no_leaks
from mini_agent.cli.doctor.model import check_keys, check_model
from mini_agent.cli.doctor.sandbox import check_confinement
from mini_agent.cli.doctor.stack import check_ports, check_services
from mini_agent.coding.launch import LaunchConfig, read_launch_config
from mini_agent.coding.options import Options
from mini_agent.net.terminal_text import escape_controls
from mini_agent.settings import Settings

CHECK_TIMEOUT_S: Final = 120.0
LEAK_ROWS: Final = (CheckRow("left over", "leaks", require_no_leaks),)


def build_rows(launch: Callable[[], LaunchConfig]) -> tuple[CheckRow, ...]:
    """Build all rows of the table."""
    return (
        CheckRow("docker", "engine", check_engine),
        CheckRow("docker", "compose", check_compose, needs_engine=True),
        CheckRow("docker", "limits", check_limits, needs_engine=True),
        CheckRow("docker", "disk", check_disk, needs_engine=True),
        CheckRow("docker", "images", check_images, needs_engine=True),
        CheckRow("stack", "ports", check_ports),
        CheckRow("stack", "services", check_services),
        CheckRow("sandbox", "canary", check_confinement, needs_engine=True),
        CheckRow("left over", "leaks", check_leaks, needs_engine=True),
        CheckRow("model", "model", check_model),
        CheckRow("model", "keys", check_keys),
        CheckRow("assistant", "python", check_python),
        CheckRow("assistant", "assistant", build_assistant_check(launch)),
        CheckRow("assistant", "MCP servers", build_mcp_check(launch)),
    )


async def check_python(_context: DoctorContext) -> Sequence[Check]:
    """Report the Python version."""
    return [ok("python", f"{platform.python_version()} on {sys.platform}")]


async def run_checks(table: Iterable[CheckRow], context: DoctorContext) -> list[Check]:
    """Run all checks concurrently; return them in the order of the table."""
    async with asyncio.TaskGroup() as looking:
        tasks = [looking.create_task(_run_row(row, context)) for row in table]
    return [check for task in tasks for check in task.result()]


async def _run_row(row: CheckRow, context: DoctorContext) -> list[Check]:
    found: Sequence[Check]
    if row.needs_engine and context.engine is None:
        found = [skipped(row.name, "no Docker Engine answers")]
    else:
        found = await _run_row_within_timeout(row, context)
    return [replace(check, group=row.group) for check in found]


async def _run_row_within_timeout(row: CheckRow, context: DoctorContext) -> Sequence[Check]:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            return await row.run_check(context)
    except TimeoutError:
        late = f"took longer than {CHECK_TIMEOUT_S:g} s"
        return [fail(row.name, late, "try again when the machine is quiet")]
    except Exception as broken:  # noqa: BLE001  a check that breaks must not hide the others
        what = f"{type(broken).__name__}: {broken!s:.200}"
        return [fail(row.name, f"the check itself failed: {what}", "please report it")]


STATE_LABELS: Final[dict[State, str]] = {"ok": "ok", "warn": "warn", "fail": "FAIL", "skipped": "-"}
STATE_COLOURS: Final[dict[State, str]] = {
    "ok": "green",
    "warn": "yellow",
    "fail": "bold red",
    "skipped": "dim",
}
# What is no terminal has no edge: a program that reads lines finds each check on one.
UNLIMITED_WIDTH: Final = 10_000
MIN_WIDTH: Final = 40
STATES: Final[tuple[State, ...]] = ("ok", "warn", "fail", "skipped")


def is_healthy(checks: Sequence[Check]) -> bool:
    """Tell whether no check failed."""
    return all(check.state != "fail" for check in checks)


def format_text(checks: Sequence[Check], *, in_colour: bool, width: int = UNLIMITED_WIDTH) -> str:
    """A table of checks a group, within `width` columns, and how many there are of each kind."""
    shown = _format_lines(checks, in_colour=in_colour, width=max(width, MIN_WIDTH))
    return "\n".join([*shown, "", _format_counts(checks)]).lstrip("\n")


def format_json(checks: Sequence[Check]) -> str:
    """`ok`, and the checks with all their fields."""
    told = {"ok": is_healthy(checks), "checks": [asdict(check) for check in checks]}
    return json.dumps(told, indent=2)


def _format_lines(checks: Sequence[Check], *, in_colour: bool, width: int) -> Iterator[str]:
    names = max((len(check.name) for check in checks), default=0)
    for group, members in groupby(checks, key=attrgetter("group")):
        yield from ("", group) if group else ()
        yield from _format_table(tuple(members), in_colour=in_colour, width=width, names=names)


def _format_table(
    checks: Sequence[Check], *, in_colour: bool, width: int, names: int
) -> Iterator[str]:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for least in (6, min(names, width // 2), None):
        table.add_column(min_width=least, no_wrap=least is not None, overflow="fold")
    for check in checks:
        words = [_to_one_line(check.detail)]
        words += [f"-> {_to_one_line(check.fix)}"] if check.fix and check.state != "ok" else []
        state = Text(f"  {STATE_LABELS[check.state]}", STATE_COLOURS[check.state])
        table.add_row(state, Text(_to_one_line(check.name)), Text("\n".join(words)))
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
def _to_one_line(text: str) -> str:
    return escape_controls(" ".join(text.split()))


def _format_counts(checks: Sequence[Check]) -> str:
    counts = Counter(check.state for check in checks)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def run_doctor(options: Options, *, in_json: bool, only_leaks: bool) -> int:
    """Run the checks and print them; return 0 when none failed, else 1."""
    variables = dict(os.environ)
    table = LEAK_ROWS if only_leaks else build_rows(lambda: read_launch_config(options, variables))
    checks = asyncio.run(_run_all(table, variables))
    sys.stdout.write(
        f"{format_json(checks) if in_json else _format_for_terminal(checks, variables)}\n"
    )
    return 0 if is_healthy(checks) else 1


def _format_for_terminal(checks: Sequence[Check], variables: Mapping[str, str]) -> str:
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else UNLIMITED_WIDTH
    return format_text(checks, in_colour=is_terminal and "NO_COLOR" not in variables, width=width)


async def _run_all(table: Sequence[CheckRow], variables: Mapping[str, str]) -> list[Check]:
    docker = Docker(variables)
    facts, _ = await read_engine_facts(docker)
    return await run_checks(table, DoctorContext(variables, Settings(), docker, facts))

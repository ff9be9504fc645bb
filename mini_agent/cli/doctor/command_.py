"""`mini-agent doctor`, carried out."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Mapping, Sequence

from mini_agent.cli.doctor.check import Around, Check, Row
from mini_agent.cli.doctor.command import (
    ENDLESS,
    as_json,
    as_text,
    is_well,
)
from mini_agent.cli.doctor.docker import Docker
from mini_agent.cli.doctor.engine_facts import engine_facts
from mini_agent.cli.doctor.table import LEAKS, gone_through, rows
from mini_agent.coding.launch import ground_of
from mini_agent.coding.options import Options
from mini_agent.settings import Settings


def run_doctor(options: Options, *, in_json: bool, only_leaks: bool) -> int:
    """0 when nothing failed, else 1."""
    variables = dict(os.environ)
    table = LEAKS if only_leaks else rows(lambda: ground_of(options, variables))
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

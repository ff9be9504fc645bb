"""`mini-agent doctor`, carried out."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping, Sequence

from mini_agent.coding.ground import ground_of
from mini_agent.coding.options import Options
from mini_agent.doctor.check import Around, Check, Row
from mini_agent.doctor.docker_command import Docker
from mini_agent.doctor.engine_facts import engine_facts
from mini_agent.doctor.report import as_json, as_text, is_well
from mini_agent.doctor.table import LEAKS, gone_through, rows
from mini_agent.settings import Settings


def run_doctor(options: Options, *, in_json: bool, only_leaks: bool) -> int:
    """0 when nothing failed, else 1."""
    variables = dict(os.environ)
    table = LEAKS if only_leaks else rows(lambda: ground_of(options, variables))
    checks = asyncio.run(_checked(table, variables))
    in_colour = sys.stdout.isatty() and "NO_COLOR" not in variables
    told = as_json(checks) if in_json else as_text(checks, in_colour=in_colour)
    sys.stdout.write(f"{told}\n")
    return 0 if is_well(checks) else 1


async def _checked(table: Sequence[Row], variables: Mapping[str, str]) -> list[Check]:
    docker = Docker(variables)
    facts, _ = await engine_facts(docker)
    return await gone_through(table, Around(variables, Settings(), docker, facts))

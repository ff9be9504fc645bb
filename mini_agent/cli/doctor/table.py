"""All checks, as a table, and how they are gone through."""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from mini_agent.cli.doctor.assistant import assistant_on, mcp_servers_on
from mini_agent.cli.doctor.check import (
    Around,
    Check,
    Row,
    fail,
    ok,
    skipped,
)
from mini_agent.cli.doctor.engine import (
    compose,
    disk,
    engine,
    limits,
)
from mini_agent.cli.doctor.images import images
from mini_agent.cli.doctor.leaks import leaks, no_leaks
from mini_agent.cli.doctor.model import keys, model
from mini_agent.cli.doctor.sandbox import canary
from mini_agent.cli.doctor.stack import ports, services
from mini_agent.coding.launch import Ground

PATIENCE_S: Final = 120.0
LEAKS: Final = (Row("left over", "leaks", no_leaks),)


def rows(ground: Callable[[], Ground]) -> tuple[Row, ...]:
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
        Row("assistant", "assistant", assistant_on(ground)),
        Row("assistant", "MCP servers", mcp_servers_on(ground)),
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

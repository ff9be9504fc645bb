"""Checks for containers, networks and volumes of ours that are left in the engine."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from mini_agent.cli.doctor.check import (
    Check,
    DoctorContext,
    fail,
    ok,
    warn,
)
from mini_agent.cli.doctor.docker import parse_labels
from mini_agent.cli.doctor.engine import START_FIX

SANDBOX_LABEL: Final = "mini-agent.sandbox"
INSTANCE_LABEL: Final = "mini-agent.instance"
DEADLINE_LABEL: Final = "mini-agent.deadline"
PROJECT_LABEL: Final = "com.docker.compose.project"
VOLUME_LABEL: Final = "com.docker.compose.volume"
# `make down` leaves these: the token, the engine's socket, and what the runs did.
PERSISTENT_VOLUMES: Final = ("codex-engine", "mini-agent-runs", "mini-agent-token")
MAX_NAMES: Final = 5

DockerRow = Mapping[str, str]


async def require_no_leaks(context: DoctorContext) -> Sequence[Check]:
    """Run the same checks, with warnings as failures."""
    if context.engine is None:
        return [fail("left over", "no Docker Engine answers, so nothing is proved", START_FIX)]
    found = await check_leaks(context)
    return [replace(each, state="fail") if each.state == "warn" else each for each in found]


async def check_leaks(context: DoctorContext) -> Sequence[Check]:
    """Check for left-over sandboxes, containers, networks and volumes, by their labels."""
    services = await _list_rows(context, "ps", "-a", label=f"{PROJECT_LABEL}={context.project}")
    is_up = any(each.get("State") == "running" for each in services)
    return [
        await _check_sandboxes(context, is_up=is_up),
        _build_check("containers", [] if is_up else services, "docker rm -f"),
        await _check_networks(context, is_up=is_up),
        await _check_volumes(context),
    ]


async def _check_sandboxes(context: DoctorContext, *, is_up: bool) -> Check:
    found = await _list_rows(context, "ps", "-a", label=f"{SANDBOX_LABEL}=1")
    over = [each for each in found if _is_expired(each)]
    own = context.project if is_up else ""
    others = [each for each in found if each not in over and _read_instance(each) != own]
    owned = len(found) - len(over) - len(others)
    note = f"; {owned} are the stack's" if owned else ""
    if over or not others:
        return _build_check("sandboxes", [*over, *others], "docker rm -f", note)
    return _warn_of_others(others, note)


# A sidecar that is no container of the stack's may be using them: a test's, or a benchmark's.
def _warn_of_others(others: Sequence[DockerRow], note: str) -> Check:
    instances = sorted({_read_instance(each) for each in others})
    detail = f"{len(others)} of other sidecars, until their deadline: {', '.join(instances)}{note}"
    labels = f"--filter label={SANDBOX_LABEL}=1 --filter label={INSTANCE_LABEL}={instances[0]}"
    return warn("left-over sandboxes", detail, f"docker rm -f $(docker ps -aq {labels})")


def _read_instance(found: DockerRow) -> str:
    return parse_labels(found).get(INSTANCE_LABEL, "")


def _is_expired(found: DockerRow) -> bool:
    deadline = parse_labels(found).get(DEADLINE_LABEL, "")
    return not deadline.isdecimal() or int(deadline) < time.time()


async def _check_networks(context: DoctorContext, *, is_up: bool) -> Check:
    found = await _list_rows(context, "network", "ls", label=f"{PROJECT_LABEL}={context.project}")
    return _build_check("networks", [] if is_up else found, "docker network rm")


async def _check_volumes(context: DoctorContext) -> Check:
    ours = await _list_rows(context, "volume", "ls", label=f"{PROJECT_LABEL}={context.project}")
    left = [each for each in ours if parse_labels(each).get(VOLUME_LABEL) not in PERSISTENT_VOLUMES]
    left += await _list_rows(context, "volume", "ls", label=SANDBOX_LABEL)
    kept = len(ours) - len([each for each in left if each in ours])
    note = f"; {kept} are kept on purpose (runs, token)" if kept else ""
    return _build_check("volumes", left, "docker volume rm", note)


def _build_check(name: str, left: Sequence[DockerRow], remove: str, note: str = "") -> Check:
    title = f"left-over {name}"
    if not left:
        return ok(title, f"0{note}")
    names = [each.get("Names") or each.get("Name") or "?" for each in left]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    detail = f"{len(names)}: {', '.join(names[:MAX_NAMES])}{more}{note}"
    return fail(title, detail, f"{remove} {' '.join(names)}")


async def _list_rows(context: DoctorContext, *command: str, label: str) -> list[dict[str, str]]:
    said = await context.docker.run(
        *command, "--filter", f"label={label}", "--format", "{{json .}}"
    )
    return said.rows

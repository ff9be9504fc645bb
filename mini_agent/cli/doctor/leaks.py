"""What is left of ours in the engine, beside what the running stack owns."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from mini_agent.cli.doctor.check import (
    Around,
    Check,
    fail,
    ok,
    warn,
)
from mini_agent.cli.doctor.docker import labels_in
from mini_agent.cli.doctor.engine import START

SANDBOX: Final = "mini-agent.sandbox"
INSTANCE: Final = "mini-agent.instance"
DEADLINE: Final = "mini-agent.deadline"
PROJECT: Final = "com.docker.compose.project"
VOLUME: Final = "com.docker.compose.volume"
# `make down` leaves these: the token, the engine's socket, and what the runs did.
KEPT: Final = ("codex-engine", "mini-agent-runs", "mini-agent-token")
SHOWN: Final = 5

Found = Mapping[str, str]


async def no_leaks(around: Around) -> Sequence[Check]:
    """The same; that somebody else may still want it is no excuse."""
    if around.engine is None:
        return [fail("left over", "no Docker Engine answers, so nothing is proved", START)]
    found = await leaks(around)
    return [replace(each, state="fail") if each.state == "warn" else each for each in found]


async def leaks(around: Around) -> Sequence[Check]:
    """Sandboxes, containers, networks and volumes, each by its label."""
    services = await _listed(around, "ps", "-a", label=f"{PROJECT}={around.project}")
    is_up = any(each.get("State") == "running" for each in services)
    return [
        await _sandboxes(around, is_up=is_up),
        _left("containers", [] if is_up else services, "docker rm -f"),
        await _networks(around, is_up=is_up),
        await _volumes(around),
    ]


async def _sandboxes(around: Around, *, is_up: bool) -> Check:
    found = await _listed(around, "ps", "-a", label=f"{SANDBOX}=1")
    over = [each for each in found if _is_over(each)]
    own = around.project if is_up else ""
    others = [each for each in found if each not in over and _instance(each) != own]
    owned = len(found) - len(over) - len(others)
    note = f"; {owned} are the stack's" if owned else ""
    if over or not others:
        return _left("sandboxes", [*over, *others], "docker rm -f", note)
    return _of_others(others, note)


# A sidecar that is no container of the stack's may be using them: a test's, or a benchmark's.
def _of_others(others: Sequence[Found], note: str) -> Check:
    instances = sorted({_instance(each) for each in others})
    detail = f"{len(others)} of other sidecars, until their deadline: {', '.join(instances)}{note}"
    labels = f"--filter label={SANDBOX}=1 --filter label={INSTANCE}={instances[0]}"
    return warn("left-over sandboxes", detail, f"docker rm -f $(docker ps -aq {labels})")


def _instance(found: Found) -> str:
    return labels_in(found).get(INSTANCE, "")


def _is_over(found: Found) -> bool:
    deadline = labels_in(found).get(DEADLINE, "")
    return not deadline.isdecimal() or int(deadline) < time.time()


async def _networks(around: Around, *, is_up: bool) -> Check:
    found = await _listed(around, "network", "ls", label=f"{PROJECT}={around.project}")
    return _left("networks", [] if is_up else found, "docker network rm")


async def _volumes(around: Around) -> Check:
    ours = await _listed(around, "volume", "ls", label=f"{PROJECT}={around.project}")
    left = [each for each in ours if labels_in(each).get(VOLUME) not in KEPT]
    left += await _listed(around, "volume", "ls", label=SANDBOX)
    kept = len(ours) - len([each for each in left if each in ours])
    note = f"; {kept} are kept on purpose (runs, token)" if kept else ""
    return _left("volumes", left, "docker volume rm", note)


def _left(name: str, left: Sequence[Found], remove: str, note: str = "") -> Check:
    title = f"left-over {name}"
    if not left:
        return ok(title, f"0{note}")
    names = [each.get("Names") or each.get("Name") or "?" for each in left]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    detail = f"{len(names)}: {', '.join(names[:SHOWN])}{more}{note}"
    return fail(title, detail, f"{remove} {' '.join(names)}")


async def _listed(around: Around, *command: str, label: str) -> list[dict[str, str]]:
    said = await around.docker.said(
        *command, "--filter", f"label={label}", "--format", "{{json .}}"
    )
    return said.rows

"""What is left of ours in the engine, beside what the running stack owns."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from mini_agent.doctor.check import Around, Check, fail, ok
from mini_agent.doctor.docker_command import labels_in

SANDBOX: Final = "mini-agent.sandbox"
INSTANCE: Final = "mini-agent.instance"
DEADLINE: Final = "mini-agent.deadline"
PROJECT: Final = "com.docker.compose.project"
VOLUME: Final = "com.docker.compose.volume"
# `make down` leaves these: the token, the engine's socket, and what the runs did.
KEPT: Final = ("codex-engine", "mini-agent-runs", "mini-agent-token")
SHOWN: Final = 5

Found = Mapping[str, str]


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
    own = around.project if is_up else ""
    left = [each for each in found if _is_left(each, own)]
    owned = len(found) - len(left)
    return _left("sandboxes", left, "docker rm -f", f"; {owned} are the stack's" if owned else "")


# The sidecar answers for those of its instance until their deadline.
def _is_left(found: Found, own: str) -> bool:
    labels = labels_in(found)
    deadline = labels.get(DEADLINE, "")
    is_over = not deadline.isdecimal() or int(deadline) < time.time()
    return is_over or labels.get(INSTANCE) != own


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

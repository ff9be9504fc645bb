"""The compose stack that is up, from outside: its memory, its sandboxes, and its shim anew."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from bench.machine import printed
from bench.options import ROOT
from bench.service import CONTAINER as SIDECAR

SHIM: Final = "litellm-mini-agent"
NETWORK: Final = "mini-agent_default"
OURS: Final = "label=mini-agent.instance=mini-agent"
GATEWAY: Final = "{{(index .IPAM.Config 0).Gateway}}"
COUNTS: Final = (
    "from urllib.request import urlopen;"
    "print(urlopen('http://127.0.0.1:8077/metrics', timeout=30).read().decode())"
)
REST_S: Final = 0.5
PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB that the processes of the two services hold."""

    shim: float
    sidecar: float


async def here_seen_from_there() -> str:
    """The address that this machine has for the shim in its container."""
    told = (await printed("docker", "network", "inspect", NETWORK, "--format", GATEWAY)).strip()
    if not told:
        raise SystemExit("the stack is not up: make up MODEL=demo")
    return told


async def memory() -> Memory:
    """At this moment."""
    return Memory(await _mib(SHIM), await _mib(SIDECAR))


async def _mib(container: str) -> float:
    lines = (await printed("docker", "top", container, "-o", "pid,rss")).splitlines()[1:]
    # Its checks of health come and go beside it.
    return max(int(line.split()[1]) for line in lines) / 1024


async def executions() -> int:
    """How many programs of Python the sidecar has run, however they ended."""
    return int(sum(_counts(r"sidecar_executions_total\{language=\"python\".*\}", await _told())))


async def sandboxes_left() -> int:
    """How many sandboxes are neither warm nor gone when all is over, after some patience."""
    for _ in range(round(PATIENCE_S / REST_S)):
        if not await _not_warm():
            return 0
        await asyncio.sleep(REST_S)
    return await _not_warm()


async def _not_warm() -> int:
    warm = sum(_counts(r"sidecar_pool_level\{.*\}", await _told()))
    listed = (await printed("docker", "ps", "-aq", "--filter", OURS)).split()
    return abs(len(listed) - int(warm))


async def shim_process() -> str:
    """The id of the process that is the shim's first, with the moment it was started at."""
    told = "{{.State.Pid}} {{.State.StartedAt}}"
    return (await printed("docker", "inspect", SHIM, "--format", told)).strip()


async def restart_shim() -> None:
    """As its owner would."""
    compose = ("docker", "compose", "-f", str(ROOT / "compose.agents.yml"))
    await printed(*compose, "restart", "mini-agent")


async def kill_shim() -> None:
    """As the kernel would, out of memory; then it is started again."""
    await printed("docker", "kill", SHIM)
    await printed("docker", "start", SHIM)


async def _told() -> str:
    return await printed("docker", "exec", SIDECAR, "python", "-c", COUNTS)


def _counts(named: str, told: str) -> list[float]:
    return [float(each) for each in re.findall(rf"^{named} ([0-9.e+]+)$", told, re.MULTILINE)]

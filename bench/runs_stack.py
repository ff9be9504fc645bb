"""The running compose stack: memory, counts, and restarts of its shim."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from bench.machine import run_command
from bench.options import ROOT
from bench.service import CONTAINER as SIDECAR

SHIM: Final = "litellm-mini-agent"
NETWORK: Final = "mini-agent_default"
INSTANCE_LABEL: Final = "label=mini-agent.instance=mini-agent"
GATEWAY: Final = "{{(index .IPAM.Config 0).Gateway}}"
READ_METRICS: Final = (
    "from urllib.request import urlopen;"
    "print(urlopen('http://127.0.0.1:8077/metrics', timeout=30).read().decode())"
)
POLL_INTERVAL_S: Final = 0.5
TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident MiB of the two services."""

    shim: float
    sidecar: float


async def host_address() -> str:
    """This machine's address as the shim's container reaches it."""
    gateway = (
        await run_command("docker", "network", "inspect", NETWORK, "--format", GATEWAY)
    ).strip()
    if not gateway:
        raise SystemExit("the stack is not up: make up MODEL=demo")
    return gateway


async def read_memory() -> Memory:
    """Read the memory of both services."""
    return Memory(await _mib(SHIM), await _mib(SIDECAR))


async def _mib(container: str) -> float:
    lines = (await run_command("docker", "top", container, "-o", "pid,rss")).splitlines()[1:]
    # Its checks of health come and go beside it.
    return max(int(line.split()[1]) for line in lines) / 1024


async def count_executions() -> int:
    """The number of Python programs that the sidecar has run, with any outcome."""
    return int(
        sum(
            _parse_metric(
                r"sidecar_executions_total\{language=\"python\".*\}", await _read_metrics()
            )
        )
    )


async def count_left_sandboxes() -> int:
    """Wait for all sandboxes to be warm or gone; returns how many are neither."""
    for _ in range(round(TIMEOUT_S / POLL_INTERVAL_S)):
        if not await _count_not_warm():
            return 0
        await asyncio.sleep(POLL_INTERVAL_S)
    return await _count_not_warm()


async def _count_not_warm() -> int:
    warm = sum(_parse_metric(r"sidecar_pool_level\{.*\}", await _read_metrics()))
    listed = (await run_command("docker", "ps", "-aq", "--filter", INSTANCE_LABEL)).split()
    return abs(len(listed) - int(warm))


async def shim_process() -> str:
    """The process id and start time of the shim."""
    template = "{{.State.Pid}} {{.State.StartedAt}}"
    return (await run_command("docker", "inspect", SHIM, "--format", template)).strip()


async def restart_shim() -> None:
    """Restart the shim through compose."""
    compose = ("docker", "compose", "-f", str(ROOT / "compose.agents.yml"))
    await run_command(*compose, "restart", "mini-agent")


async def kill_shim() -> None:
    """Kill the shim and start it again."""
    await run_command("docker", "kill", SHIM)
    await run_command("docker", "start", SHIM)


async def _read_metrics() -> str:
    return await run_command("docker", "exec", SIDECAR, "python", "-c", READ_METRICS)


def _parse_metric(pattern: str, metrics: str) -> list[float]:
    return [float(each) for each in re.findall(rf"^{pattern} ([0-9.e+]+)$", metrics, re.MULTILINE)]

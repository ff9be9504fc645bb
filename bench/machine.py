"""Describes the machine that was measured."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.baselines import HOST_PYTHON


class Machine(BaseModel):
    """What a reader needs to know to compare."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: str
    cores: int
    memory_gib: float
    kernel: str
    engine: str
    runtimes: tuple[str, ...]
    storage: str
    cgroups: str
    host_python: str
    host_node: str
    load: float

    def lines(self) -> tuple[str, ...]:
        """For people."""
        return (
            f"{self.cores} x {self.cpu}, {self.memory_gib:.1f} GiB, Linux {self.kernel}",
            f"Docker Engine {self.engine} ({self.storage}, cgroup v{self.cgroups})",
            f"runtimes {', '.join(self.runtimes)}; host {self.host_python}, node {self.host_node}",
            f"load average before the run {self.load:.2f}",
        )


async def read_machine() -> Machine:
    """Read this machine's description."""
    engine = json.loads(await run_command("docker", "info", "--format", "{{json .}}"))
    return Machine(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30),
        kernel=platform.release(),
        engine=engine["ServerVersion"],
        runtimes=tuple(sorted(name for name in engine["Runtimes"] if "." not in name)),
        storage=engine["Driver"],
        cgroups=engine["CgroupVersion"],
        host_python=(await run_command(HOST_PYTHON, "--version")).strip(),
        host_node=(await run_command("node", "--version")).strip(),
        load=os.getloadavg()[0],
    )


async def run_command(*command: str) -> str:
    """The output of a command; empty if there is no such command."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return ""
    output, _ = await process.communicate()
    return output.decode()


def _cpu() -> str:
    match = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match[1] if match else platform.machine()

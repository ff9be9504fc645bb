"""Measures memory: of idle sandboxes with their shims, and of the sidecar before and after runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Final

from bench.http_connection import HttpConnection
from bench.rates import CALLERS, ONE_SNIPPET, open_connections
from bench.sidecar_rows import EXECUTE, execute
from bench.stack import Stack

MIB: Final = 1 << 20
PROC: Final = Path("/proc")
CGROUPS: Final = (
    "/sys/fs/cgroup/memory/docker/{id}/memory.usage_in_bytes",
    "/sys/fs/cgroup/docker/{id}/memory.current",
    "/sys/fs/cgroup/system.slice/docker-{id}.scope/memory.current",
)
SETTLE_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class IdleSandbox:
    """Mean MiB of a kind of warm sandbox: its cgroup, and the engine's shim process."""

    kind: str
    number: int
    cgroup: float
    shim: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.cgroup + self.shim


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Resident MiB and open descriptors of a process."""

    mib: float
    descriptors: int


@dataclass(frozen=True, slots=True)
class Growth:
    """The sidecar's memory before and after `runs` runs."""

    runs: int
    before: ProcessMemory
    after: ProcessMemory


def read_process_memory(pid: int) -> ProcessMemory:
    """Read the memory of a process."""
    status = (PROC / str(pid) / "status").read_text()
    resident = re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)
    return ProcessMemory(
        int(resident[1]) / 1024 if resident else 0.0, len(list((PROC / str(pid) / "fd").iterdir()))
    )


async def measure_growth(stack: Stack, before: ProcessMemory, runs: int) -> Growth:
    """Measure the sidecar after `runs` more runs and a pause."""
    share = runs // CALLERS
    async with open_connections(stack.address, CALLERS) as callers, asyncio.TaskGroup() as group:
        for connection in callers:
            group.create_task(_run_many(connection, share))
    await stack.wait_until_full()
    await asyncio.sleep(SETTLE_S)
    return Growth(share * CALLERS, before, read_process_memory(stack.sidecar))


async def _run_many(connection: HttpConnection, number: int) -> None:
    for _ in range(number):
        await execute(connection, EXECUTE, ONE_SNIPPET)


async def measure_idle(instance: str) -> dict[str, IdleSandbox]:
    """Measure each kind of warm sandbox of an instance; kinds that cannot be read are missing."""
    usage: dict[str, list[tuple[float, float]]] = {}
    shims = dict(_read_shims())
    for id_, kind in await _list_sandboxes(instance):
        used = _cgroup_mib(id_)
        if used is not None and id_ in shims:
            usage.setdefault(kind, []).append((used, shims[id_]))
    return {
        kind: IdleSandbox(
            kind, len(each), mean(one[0] for one in each), mean(one[1] for one in each)
        )
        for kind, each in usage.items()
    }


async def _list_sandboxes(instance: str) -> list[tuple[str, str]]:
    listed = await _run_command(
        "docker", "ps", "-q", "--no-trunc", "--filter", f"label=mini-agent.instance={instance}"
    )
    if not listed.split():
        return []
    shown = await _run_command("docker", "inspect", *listed.split())
    return [(each["Id"], _kind(each["Config"])) for each in json.loads(shown)]


def _kind(config: dict[str, object]) -> str:
    image, words = str(config["Image"]), config["Cmd"]
    is_data = isinstance(words, list) and words[-1] == "data"
    return "data" if is_data else image.rpartition("sandbox-")[2].partition(":")[0]


def _cgroup_mib(id_: str) -> float | None:
    for place in CGROUPS:
        with contextlib.suppress(OSError):
            return int(Path(place.format(id=id_)).read_text()) / MIB
    return None


def _read_shims() -> Iterator[tuple[str, float]]:
    """Yield each container id with its shim's MiB, shared pages counted by their share."""
    for process in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"containerd-shim" in words[0] and b"-id" in words:
                rollup = (process / "smaps_rollup").read_text()
                pss = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
                if pss:
                    yield words[words.index(b"-id") + 1].decode(), int(pss[1]) / 1024


async def _run_command(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    return printed.decode()

"""What waiting costs: memory of idle sandboxes with their shims, and of the sidecar."""

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

from bench.line import Line
from bench.ours import EXECUTE, asked
from bench.rates import CALLERS, ONE, lines
from bench.stack import Stack

MIB: Final = 1 << 20
PROC: Final = Path("/proc")
CGROUPS: Final = (
    "/sys/fs/cgroup/memory/docker/{id}/memory.usage_in_bytes",
    "/sys/fs/cgroup/docker/{id}/memory.current",
    "/sys/fs/cgroup/system.slice/docker-{id}.scope/memory.current",
)
REST_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Idle:
    """Mean MiB of a kind of warm sandbox: its cgroup, and the engine's shim beside it."""

    kind: str
    number: int
    cgroup: float
    shim: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.cgroup + self.shim


@dataclass(frozen=True, slots=True)
class Own:
    """MiB and open descriptors of a process."""

    mib: float
    descriptors: int


@dataclass(frozen=True, slots=True)
class Growth:
    """The sidecar before and after so many runs."""

    runs: int
    before: Own
    after: Own


def own(pid: int) -> Own:
    """A process of ours."""
    status = (PROC / str(pid) / "status").read_text()
    held = re.search(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)
    return Own(int(held[1]) / 1024 if held else 0.0, len(list((PROC / str(pid) / "fd").iterdir())))


async def growth(stack: Stack, before: Own, runs: int) -> Growth:
    """What the sidecar takes after so many more runs, and some rest."""
    share = runs // CALLERS
    async with lines(stack.address, CALLERS) as callers, asyncio.TaskGroup() as group:
        for line in callers:
            group.create_task(_runs(line, share))
    await stack.until_full()
    await asyncio.sleep(REST_S)
    return Growth(share * CALLERS, before, own(stack.sidecar))


async def _runs(line: Line, number: int) -> None:
    for _ in range(number):
        await asked(line, EXECUTE, ONE)


async def idle(instance: str) -> dict[str, Idle]:
    """Each kind of warm sandbox of an instance; a kind that could not be measured is missing."""
    found: dict[str, list[tuple[float, float]]] = {}
    shims = dict(_shims())
    for id_, kind in await _members(instance):
        used = _cgroup_mib(id_)
        if used is not None and id_ in shims:
            found.setdefault(kind, []).append((used, shims[id_]))
    return {
        kind: Idle(kind, len(each), mean(one[0] for one in each), mean(one[1] for one in each))
        for kind, each in found.items()
    }


async def _members(instance: str) -> list[tuple[str, str]]:
    listed = await _printed(
        "docker", "ps", "-q", "--no-trunc", "--filter", f"label=mini-agent.instance={instance}"
    )
    if not listed.split():
        return []
    shown = await _printed("docker", "inspect", *listed.split())
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


def _shims() -> Iterator[tuple[str, float]]:
    """The id of a container and the memory of its shim, counting what is shared by its share."""
    for process in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if b"containerd-shim" in words[0] and b"-id" in words:
                rollup = (process / "smaps_rollup").read_text()
                pss = re.search(r"^Pss:\s+(\d+)", rollup, re.MULTILINE)
                if pss:
                    yield words[words.index(b"-id") + 1].decode(), int(pss[1]) / 1024


async def _printed(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    return printed.decode()

"""Resolves the limits that a snippet asks for to those that are enforced on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from codex_sidecar.engine.confinement import (
    DEFAULT_LIMITS,
    GVISOR,
    MAX_INODES,
    MAX_OPEN_FILES,
    DefaultLimits,
    shm_mb,
    tmp_mb,
)
from codex_sidecar.engine.models import EngineFacts
from codex_sidecar.errors import NotReady
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits

# gVisor's own threads count as the sandbox's: with fewer it does not start, or ends the program.
MIN_GVISOR_PIDS: Final = 64
MEMINFO_PATH: Final = Path("/proc/meminfo")

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class MachineMemory:
    """Memory in MiB; `available_mb` can be used without taking it from another process."""

    total_mb: int
    available_mb: int
    swap_mb: int


def read_memory(path: Path = MEMINFO_PATH) -> MachineMemory:
    """Read /proc/meminfo."""
    lines = (line.split() for line in path.read_text().splitlines())
    counts = {words[0]: int(words[1]) >> 10 for words in lines}
    return MachineMemory(counts["MemTotal:"], counts["MemAvailable:"], counts["SwapTotal:"])


@dataclass(frozen=True, slots=True)
class Host:
    """Cores and memory of the engine's machine, and the processes that its runtime itself needs."""

    cpus: int
    memory_mb: int
    min_pids: int = 1


class FactsSource(Protocol):
    """The engine, as far as it describes its machine."""

    async def facts(self) -> EngineFacts:
        """Return what it can enforce, and its runtimes."""
        ...


class Machine:
    """The engine's machine, which is asked for its facts once."""

    def __init__(self, engine: FactsSource, runtime: str) -> None:
        self._engine, self._runtime = engine, runtime
        self._host: Host | None = None

    async def host(self) -> Host:
        """Return the machine's cores and memory."""
        if self._host is None:
            self._host = require_host(await self._engine.facts(), self._runtime)
        return self._host

    async def resolve_limits(self, requested: Limits, language: Language) -> EnforcedLimits:
        """Return the limits to enforce in a sandbox of this language's image."""
        return resolve_limits(requested, DEFAULT_LIMITS[language], await self.host())


def require_host(facts: EngineFacts, runtime: str) -> Host:
    """Return the machine behind the engine; raises `NotReady` where it cannot confine a sandbox."""
    if runtime not in facts.runtimes:
        raise NotReady(
            f"the engine has no runtime {runtime!r}; it has: {', '.join(sorted(facts.runtimes))}",
            hint="register it with the engine, or set CODEX_SIDECAR_RUNTIME to one that it has",
        )
    capabilities = {
        "memory": facts.limits_memory,
        "cpu": facts.limits_cpu,
        "pids": facts.limits_pids,
    }
    capabilities["swap"] = facts.limits_swap or read_memory().swap_mb == 0
    capabilities["seccomp"] = any("seccomp" in option for option in facts.security)
    missing = [name for name, present in capabilities.items() if not present]
    if missing:
        raise NotReady(
            f"the engine cannot confine a sandbox: it has no {', '.join(missing)}",
            hint="enable the missing cgroups or seccomp in this machine's kernel",
        )
    min_pids = MIN_GVISOR_PIDS if runtime.startswith(GVISOR) else 1
    return Host(facts.cpus, facts.memory >> 20, min_pids)


def resolve_limits(requested: Limits, defaults: DefaultLimits, host: Host) -> EnforcedLimits:
    """Return the limits to enforce; raises `BadRequest` for one that this machine cannot give."""
    memory = _or_default(requested.memory_mb, min(defaults.memory_mb, host.memory_mb))
    cpus = _or_default(requested.cpus, min(defaults.cpus, float(host.cpus)))
    if memory > host.memory_mb:
        raise BadRequest(
            f"limits.memory_mb {memory} is more than this machine has ({host.memory_mb})",
            field="limits.memory_mb",
        )
    if cpus > host.cpus:
        raise BadRequest(
            f"limits.cpus {cpus:g} is more than this machine has ({host.cpus})", field="limits.cpus"
        )
    return EnforcedLimits(
        timeout_s=_or_default(requested.timeout_s, defaults.timeout_s),
        memory_mb=memory,
        cpus=round(cpus, 3),
        pids=_resolve_pids(requested.pids, defaults.pids, host.min_pids),
        output_bytes=_or_default(requested.output_bytes, defaults.output_bytes),
        workspace_mb=_resolve_workspace(requested.workspace_mb, defaults.workspace_mb, memory),
        inodes=MAX_INODES,
        open_files=MAX_OPEN_FILES,
    )


def _resolve_pids(requested: int | None, default: int, minimum: int) -> int:
    if requested is not None and requested < minimum:
        raise BadRequest(
            f"limits.pids {requested} is fewer than the {minimum} that the runtime itself needs",
            field="limits.pids",
        )
    return _or_default(requested, default)


def _resolve_workspace(requested: int | None, default: int, memory: int) -> int:
    # INVARIANT: files live in memory, so all that can be written fits in the memory limit; a full
    # disk is then the program's own error and not the end of the sandbox.
    reserved = tmp_mb(memory) + shm_mb(memory)
    if requested is None:
        return max(1, min(default, (memory - reserved) // 2))
    if requested + reserved > memory:
        raise BadRequest(
            f"limits.workspace_mb {requested}, with {reserved} for /tmp and /dev/shm, does not fit "
            f"in memory_mb {memory}: files live in memory",
            field="limits.workspace_mb",
            hint=f"ask for memory_mb {requested + 80} or more, or for a smaller workspace",
        )
    return requested


def _or_default(requested: Number | None, default: Number) -> Number:
    return default if requested is None else requested

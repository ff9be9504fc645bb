"""From the limits a snippet asks for to those that will hold; refused where they cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from codex_sidecar.catalog import Defaults
from codex_sidecar.confinement import shm_mb, tmp_mb
from codex_sidecar.engine import EngineFacts
from codex_sidecar.errors import NotReady
from mini_agent.errors import BadRequest
from mini_agent.sandbox import EnforcedLimits, Limits

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Host:
    """What the engine's machine has to give."""

    cpus: int
    memory_mb: int


def host_of(facts: EngineFacts, runtime: str) -> Host:
    """The machine behind the engine; `NotReady` where it cannot confine a sandbox as it has to."""
    if runtime not in facts.runtimes:
        raise NotReady(
            f"the engine has no runtime {runtime!r}; it has: {', '.join(sorted(facts.runtimes))}",
            hint="register it with the engine, or set CODEX_SIDECAR_RUNTIME to one that it has",
        )
    able = {"memory": facts.limits_memory, "cpu": facts.limits_cpu, "pids": facts.limits_pids}
    able["seccomp"] = any("seccomp" in option for option in facts.security)
    missing = [name for name, present in able.items() if not present]
    if missing:
        raise NotReady(
            f"the engine cannot confine a sandbox: it has no {', '.join(missing)}",
            hint="enable the missing cgroups or seccomp in this machine's kernel",
        )
    return Host(cpus=facts.cpus, memory_mb=facts.memory >> 20)


def settle(asked: Limits, defaults: Defaults, host: Host) -> EnforcedLimits:
    """The limits to enforce; `BadRequest` names the one that this machine cannot."""
    memory = _or_default(asked.memory_mb, min(defaults.memory_mb, host.memory_mb))
    cpus = _or_default(asked.cpus, min(defaults.cpus, float(host.cpus)))
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
        timeout_s=_or_default(asked.timeout_s, defaults.timeout_s),
        memory_mb=memory,
        cpus=round(cpus, 3),
        pids=_or_default(asked.pids, defaults.pids),
        output_bytes=_or_default(asked.output_bytes, defaults.output_bytes),
        workspace_mb=_workspace(asked.workspace_mb, defaults.workspace_mb, memory),
    )


def _workspace(asked: int | None, default: int, memory: int) -> int:
    # INVARIANT: files live in memory, so all that can be written fits in the memory limit; a full
    # disk is then the program's own error and not the end of the sandbox.
    beside = tmp_mb(memory) + shm_mb(memory)
    if asked is None:
        return max(1, min(default, (memory - beside) // 2))
    if asked + beside > memory:
        raise BadRequest(
            f"limits.workspace_mb {asked}, with {beside} for /tmp and /dev/shm, does not fit in "
            f"memory_mb {memory}: files live in memory",
            field="limits.workspace_mb",
            hint=f"ask for memory_mb {asked + 80} or more, or for a smaller workspace",
        )
    return asked


def _or_default(asked: Number | None, default: Number) -> Number:
    return default if asked is None else asked

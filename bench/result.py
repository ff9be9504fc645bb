"""The result of a run, as it is saved in a file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bench.machine import Machine


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RowTimes(_Value):
    """A row: milliseconds, in the order they were measured."""

    label: str
    taken: tuple[float, ...]


class IdleMemory(_Value):
    """MiB of an idle sandbox."""

    number: int
    cgroup: float
    shim: float


class BenchResult(_Value):
    """All figures; `reasons` explains those that are None."""

    machine: Machine
    n: int
    rows: dict[str, RowTimes]
    burst_per_s: float | None = None
    session_per_s: float | None = None
    sustained_per_s: float | None = None
    bare_per_s: float | None = None
    idle: dict[str, IdleMemory] = {}
    sidecar_before_mib: float | None = None
    sidecar_after_mib: float | None = None
    descriptors_before: int | None = None
    descriptors_after: int | None = None
    runs: int = 0
    reasons: dict[str, str] = {}
    load_after: float = 0.0

"""The targets of a run and the figures they apply to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.result import BenchResult
from bench.samples import Samples


@dataclass(frozen=True, slots=True)
class Target:
    """`key` is its name in the line of JSON; `most` says on which side of `limit` is good."""

    key: str
    label: str
    of: Callable[[BenchResult], float | None]
    limit: float
    most: bool = True
    unit: str = "x"

    def is_met(self, value: float) -> bool:
        """Whether this value is good enough."""
        return value <= self.limit if self.most else value >= self.limit

    def written(self) -> str:
        """As people write it."""
        return f"{'<=' if self.most else '>='} {self.limit:g} {self.unit}"


def samples(measured: BenchResult, key: str) -> Samples | None:
    """The samples of a row; None where it was not measured."""
    row = measured.rows.get(key)
    return Samples(row.label, list(row.taken)) if row and row.taken else None


def ratio(one: str, other: str, share: float = 0.5) -> Callable[[BenchResult], float | None]:
    """A percentile of one row to the median of another."""

    def of(measured: BenchResult) -> float | None:
        above, below = samples(measured, one), samples(measured, other)
        return above.at(share) / below.p50 if above and below else None

    return of


def _p50(key: str) -> Callable[[BenchResult], float | None]:
    def of(measured: BenchResult) -> float | None:
        figures = samples(measured, key)
        return figures.p50 if figures else None

    return of


def _share(measured: BenchResult) -> float | None:
    ours, bare = measured.sustained_per_s, measured.bare_per_s
    return ours / bare if ours is not None and bare else None


def _idle_mib(kind: str) -> Callable[[BenchResult], float | None]:
    def of(measured: BenchResult) -> float | None:
        figures = measured.idle.get(kind)
        return figures.cgroup + figures.shim if figures else None

    return of


def _growth(measured: BenchResult) -> float | None:
    before, after = measured.sidecar_before_mib, measured.sidecar_after_mib
    return max(0.0, after - before) if before is not None and after is not None else None


_HOST: Final = "host_python"

TARGETS: Final = (
    Target("python_fresh_p50_x", "python, fresh, fork", ratio("python", _HOST), 0.5),
    Target("python_fresh_p99_x", "the same, p99", ratio("python", _HOST, 0.99), 1.5),
    Target("python_spawn_p50_x", "clean interpreter", ratio("spawn", _HOST), 1.3),
    Target(
        "docker_run_vs_fresh_x",
        "docker run to python fresh",
        ratio("docker_run", "python"),
        50,
        most=False,
    ),
    Target("pandas_fresh_p50_x", "pandas, preloaded", ratio("pandas", _HOST), 1.2),
    Target("node_fresh_p50_x", "node, to host node", ratio("node", "host_node"), 1.0),
    Target("go_fresh_p50_ms", "go, changed source", _p50("go"), 250, unit="ms"),
    Target("go_vs_bare_x", "go, to bare", ratio("go", "bare_go"), 1.3),
    Target("rust_fresh_p50_ms", "rust, changed source", _p50("rust"), 200, unit="ms"),
    Target("rust_vs_bare_x", "rust, to bare", ratio("rust", "bare_rust"), 1.3),
    Target("session_p50_x", "session, next snippet", ratio("session", _HOST), 0.35),
    Target(
        "session_per_s",
        "session, one caller",
        lambda run: run.session_per_s,
        250,
        most=False,
        unit="/s",
    ),
    Target(
        "cold_vs_docker_run_x",
        "cold, to docker run hardened",
        ratio("cold", "docker_run_hardened"),
        0.75,
    ),
    Target("runsc_p50_x", "gVisor, warm python", ratio("runsc", _HOST), 4.5),
    Target("sustained_share", "sustained, to the bare engine", _share, 0.9, most=False),
    Target(
        "burst_per_s",
        "burst of 32, 16 callers",
        lambda run: run.burst_per_s,
        200,
        most=False,
        unit="/s",
    ),
    Target("plain_mib", "idle sandbox, plain", _idle_mib("python"), 11, unit="MiB"),
    Target("data_mib", "idle sandbox, data science", _idle_mib("data"), 60, unit="MiB"),
    Target("sidecar_idle_mib", "sidecar, idle", lambda run: run.sidecar_before_mib, 90, unit="MiB"),
    Target("sidecar_growth_mib", "sidecar, growth", _growth, 16, unit="MiB"),
)

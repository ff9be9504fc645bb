"""Prometheus metrics of the sidecar. Labels come from short lists, never from a request."""

from __future__ import annotations

from collections.abc import Sized
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from codex_sidecar.kinds import SandboxKind
from mini_agent_protocol.asgi import metrics
from mini_agent_protocol.execution import Execution

_REGISTRY: Final = metrics.create_registry()

_BUCKETS: Final = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0),
)
_EXECUTIONS: Final = Counter(
    "sidecar_executions", "Snippets by outcome.", ("language", "status"), registry=_REGISTRY
)
_REFUSED: Final = Counter(
    "sidecar_refused", "Calls that were answered with an error.", ("code",), registry=_REGISTRY
)
_QUEUE: Final = Histogram(
    "sidecar_queue_seconds", "Waiting for a turn.", registry=_REGISTRY, buckets=_BUCKETS
)
_START: Final = Histogram(
    "sidecar_start_seconds",
    "Getting hold of a sandbox.",
    ("language",),
    registry=_REGISTRY,
    buckets=_BUCKETS,
)
_RUN: Final = Histogram(
    "sidecar_run_seconds",
    "Compiling and running.",
    ("language",),
    registry=_REGISTRY,
    buckets=_BUCKETS,
)
_LEVEL: Final = Gauge("sidecar_pool_level", "Warm sandboxes.", ("pool",), registry=_REGISTRY)
_LEASES: Final = Counter(
    "sidecar_leases", "Leases by whether one was warm.", ("pool", "warm"), registry=_REGISTRY
)
_REAPED: Final = Counter(
    "sidecar_reaped", "Sandboxes that nobody answered for.", registry=_REGISTRY
)


def record_execution(execution: Execution) -> None:
    """Count a snippet that has run, and observe its timings."""
    took = execution.timings_ms
    _EXECUTIONS.labels(execution.language, execution.status).inc()
    _QUEUE.observe(took.queue / 1000)
    _START.labels(execution.language).observe(took.start / 1000)
    _RUN.labels(execution.language).observe((took.compile + took.run) / 1000)


def record_error(code: str) -> None:
    """Count a call that was answered with an error of this code."""
    _REFUSED.labels(code).inc()


def record_warm_lease(kind: SandboxKind) -> None:
    """Count a lease that got a warm sandbox."""
    _LEASES.labels(kind, "hit").inc()


def record_cold_lease(kind: SandboxKind) -> None:
    """Count a lease for which a sandbox had to be started."""
    _LEASES.labels(kind, "miss").inc()


def track_stock(kind: SandboxKind, stock: Sized) -> None:
    """Show the length of this stock as the gauge of its kind from now on."""
    _LEVEL.labels(kind).set_function(lambda: len(stock))


def record_reaped() -> None:
    """Count a sandbox that the reaper removed."""
    _REAPED.inc()


def render() -> bytes:
    """Return all metrics in Prometheus' text format."""
    return metrics.render(_REGISTRY)

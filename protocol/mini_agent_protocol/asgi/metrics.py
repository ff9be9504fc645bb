"""Metrics for Prometheus: a registry of the service's own, and how it is read."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from starlette.responses import Response


def create_registry() -> CollectorRegistry:
    """Return a registry with the process's memory, time and open files, and nothing else."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return registry


def render(registry: CollectorRegistry) -> bytes:
    """Return all metrics in Prometheus's text format."""
    return generate_latest(registry)


class MetricsResponse(Response):
    """Metrics as Prometheus asks for them."""

    media_type = "text/plain; version=0.0.4; charset=utf-8"

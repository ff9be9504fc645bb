"""Prometheus metrics of the shim. Labels come from short lists, never from a request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from mini_agent.events import Event, ModelAsked, ModelReplied, Stopped, ToolFinished
from mini_agent.result import ToolInvocation, Usage
from mini_agent.tools.names import TOOL_BY_LANGUAGE
from mini_agent.tools.research import context7, perplexity
from mini_agent_protocol.asgi import metrics

# Other tools, and names that a model invented, would make the number of labels unbounded.
KNOWN_TOOLS: Final = frozenset(
    {
        *TOOL_BY_LANGUAGE.values(),
        *("compress_runs", "echo", "research_echo"),
        *(perplexity.NAME, context7.NAME),
    }
)
OTHER: Final = "other"
NONE: Final = "none"

_REGISTRY: Final = metrics.create_registry()

_BUCKETS: Final = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
    *(10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0),
)
_RUNS: Final = Counter(
    "mini_agent_runs",
    "Runs that are over, by their state and why the loop stopped.",
    ("state", "stopped_reason"),
    registry=_REGISTRY,
)
_QUEUED: Final = Gauge("mini_agent_runs_queued", "Runs that wait for a place.", registry=_REGISTRY)
_RUNNING: Final = Gauge("mini_agent_runs_running", "Runs in progress.", registry=_REGISTRY)
_QUEUE: Final = Histogram(
    "mini_agent_run_queue_seconds", "Waiting for a place.", registry=_REGISTRY, buckets=_BUCKETS
)
_RUN: Final = Histogram(
    "mini_agent_run_seconds",
    "A run, from its place to its end.",
    registry=_REGISTRY,
    buckets=_BUCKETS,
)
_ITERATIONS: Final = Histogram(
    "mini_agent_run_iterations",
    "Turns of the model in a run.",
    registry=_REGISTRY,
    buckets=(0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100),
)
_MODEL_TURN: Final = Histogram(
    "mini_agent_model_call_seconds",
    "A turn of the model, with all its requests.",
    registry=_REGISTRY,
    buckets=_BUCKETS,
)
_MODEL_REQUESTS: Final = Counter(
    "mini_agent_model_requests",
    "Requests to models; again: the one before was of no use.",
    ("again",),
    registry=_REGISTRY,
)
_TOOL: Final = Histogram(
    "mini_agent_tool_call_seconds",
    "A call of a tool.",
    ("tool", "outcome"),
    registry=_REGISTRY,
    buckets=_BUCKETS,
)
_TOKENS: Final = Counter("mini_agent_tokens", "Tokens, by kind.", ("kind",), registry=_REGISTRY)
_COST: Final = Counter(
    "mini_agent_cost_dollars", "What the models cost, where it is known.", registry=_REGISTRY
)
_REFUSED: Final = Counter(
    "mini_agent_refused",
    "Requests that were answered with an error.",
    ("code",),
    registry=_REGISTRY,
)


@contextmanager
def track_queued() -> Iterator[None]:
    """Count a run as queued for the duration of the block."""
    with _QUEUED.track_inprogress(), _QUEUE.time():
        yield


@contextmanager
def track_running() -> Iterator[None]:
    """Count a run as running for the duration of the block."""
    with _RUNNING.track_inprogress(), _RUN.time():
        yield


def count_event(event: Event) -> None:
    """Count one event of a run."""
    match event:
        case ModelAsked():
            _MODEL_REQUESTS.labels("yes" if event.because else "no").inc()
        case ModelReplied():
            _MODEL_TURN.observe(event.model_ms / 1000)
            _count_usage(event.usage)
        case ToolFinished():
            _count_call(event.invocation)
        case Stopped():
            _ITERATIONS.observe(len(event.result.iterations))
        case _:
            pass


def count_run(state: str, stopped_reason: str | None) -> None:
    """Count a run that has ended."""
    _RUNS.labels(state, stopped_reason or NONE).inc()


def count_error(code: str) -> None:
    """Count an error response by its code."""
    _REFUSED.labels(code).inc()


def render() -> bytes:
    """Return all metrics in Prometheus's text format."""
    return metrics.render(_REGISTRY)


def _count_usage(usage: Usage) -> None:
    _TOKENS.labels("prompt").inc(usage.prompt_tokens)
    _TOKENS.labels("completion").inc(usage.completion_tokens)
    _TOKENS.labels("cached").inc(usage.cached_tokens)
    _COST.inc(max(0.0, usage.cost))


def _count_call(call: ToolInvocation) -> None:
    tool = call.name if call.name in KNOWN_TOOLS else OTHER
    _TOOL.labels(tool, _outcome(call)).observe(call.duration_ms / 1000)


def _outcome(call: ToolInvocation) -> str:
    """Return the outcome; `not_run`: refused, cancelled, or of an unknown tool."""
    if call.ok:
        return "ok"
    return "not_run" if call.rc is None else "failed"

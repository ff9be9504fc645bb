"""OpenTelemetry spans and trace propagation; without its SDK they do nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

CAPTURE_CONTENT_VARIABLE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
TRUE_VALUES: Final = ("true", "1", "span_only", "span_and_event")

_tracer: Final = trace.get_tracer("mini_agent")


def captures_content() -> bool:
    """Whether prompts, code and output may stand in spans; the standard variable says so."""
    return os.environ.get(CAPTURE_CONTENT_VARIABLE, "").strip().lower() in TRUE_VALUES


@contextmanager
def span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    context: Context | None = None,
) -> Iterator[Span]:
    """A span that is the current one in the block, and says of what kind an exception was."""
    started = _tracer.start_as_current_span(
        name,
        context,
        kind,
        attributes,
        # What an exception says may quote a prompt.
        record_exception=False,
        set_status_on_exception=False,
    )
    with ExitStack() as ending:
        begun = ending.enter_context(started)
        ending.push(lambda kind, _error, _trace: _record_exception(begun, kind))
        yield begun


def _record_exception(begun: Span, kind: type[BaseException] | None) -> None:
    if kind is not None:
        record_failure(begun, kind.__qualname__)


def record_failure(begun: Span, kind: str) -> None:
    """What the span stands for went wrong; `kind` is a word, never a message."""
    begun.set_attribute("error.type", kind)
    begun.set_status(Status(StatusCode.ERROR))


def trace_headers() -> dict[str, str]:
    """What tells a server which trace its work belongs to; empty outside of any."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


def extract_context(headers: Mapping[str, str]) -> Context:
    """The trace that a caller's headers, their names in lower case, speak of."""
    return propagate.extract(headers)


def current_trace_id() -> str:
    """The id of the trace in whose span we are, 32 hexadecimal digits; empty outside of any."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def set_current_attributes(attributes: Mapping[str, AttributeValue]) -> None:
    """Set attributes of the current span."""
    trace.get_current_span().set_attributes(attributes)

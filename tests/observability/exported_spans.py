"""Spans that have ended, and servers that remember which trace a request belonged to."""

from __future__ import annotations

from dataclasses import dataclass, field

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{CALLER}-01"}


@dataclass(frozen=True)
class ExportedSpans:
    """What was exported."""

    exporter: InMemorySpanExporter

    @property
    def all(self) -> tuple[ReadableSpan, ...]:
        """In the order they ended."""
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        """The only one of this name."""
        (found,) = [each for each in self.all if each.name == name]
        return found

    def under(self, parent: ReadableSpan) -> list[str]:
        """The names of those right below."""
        ours = span_id(parent)
        return [each.name for each in self.all if parent_id(each) == ours]

    @property
    def text(self) -> str:
        """Everything that is exported."""
        return "\n".join(each.to_json() for each in self.all)


@dataclass
class TraceparentRecorder:
    """An app that notes the traceparent of each request."""

    app: ASGIApp
    traceparents: list[str] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.traceparents.append(Headers(scope=scope).get("traceparent", ""))
        await self.app(scope, receive, send)


def span_context(span: ReadableSpan) -> SpanContext:
    """What others know it by; every span that has ended has one."""
    context = span.get_span_context()
    assert context is not None
    return context


def span_id(span: ReadableSpan) -> str:
    """In hexadecimal, as on the wire."""
    return f"{span_context(span).span_id:016x}"


def parent_id(span: ReadableSpan) -> str:
    """The same of its parent; empty where it has none."""
    return f"{span.parent.span_id:016x}" if span.parent else ""


def trace_id(span: ReadableSpan) -> str:
    """In hexadecimal, as on the wire."""
    return f"{span_context(span).trace_id:032x}"

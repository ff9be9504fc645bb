"""OpenTelemetry: one span per request in the caller's trace (traceparent), and their export."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mini_agent.net.telemetry import extract_context, record_failure, span
from mini_agent.settings import require_extra
from mini_agent_shim.http.access_log import QUIET_PATHS

ENDPOINT_VARIABLES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_TIMEOUT_MS: Final = 3000
SERVER_ERROR: Final = 500
# FastAPI's own spans would duplicate these, and would include health checks.
FASTAPI_TELEMETRY_OFF: Final = dict.fromkeys(
    ("tracing", "operation_spans", "metrics", "logs"), False
)


def export_spans(service: str) -> None:
    """Export spans of this process to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names.

    OTEL_SERVICE_NAME takes precedence over `service`; OTEL_SDK_DISABLED=true turns it off; a tracer
    provider that exists already (`opentelemetry-instrument`) stays. Raises `NotConfigured` where
    the extra `otel` is missing.
    """
    named = next((name for name in ENDPOINT_VARIABLES if os.environ.get(name)), "")
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_set_up = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    if not named or is_off or is_set_up:
        return
    with require_extra("otel", what=named):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


async def flush_spans() -> None:
    """Send the buffered spans, within `FLUSH_TIMEOUT_MS`.

    A server that a signal stops has no other chance to.
    """
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is not None:
        await asyncio.to_thread(flush, FLUSH_TIMEOUT_MS)


class TracingMiddleware:
    """Opens a span per request; health checks and metrics have none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        if scope["type"] != "http" or scope["path"] in QUIET_PATHS:
            await self.app(scope, receive, send)
            return
        attributes = {"http.request.method": scope["method"], "url.scheme": scope["scheme"]}
        caller = extract_context(Headers(scope=scope))
        with span(scope["method"], SpanKind.SERVER, attributes, caller) as request_span:

            async def send_noting_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _set_status(request_span, message["status"])
                await send(message)

            await self.app(scope, receive, send_noting_status)
            _set_route(request_span, scope)


def _set_status(request_span: Span, status: int) -> None:
    request_span.set_attribute("http.response.status_code", status)
    if status >= SERVER_ERROR:
        record_failure(request_span, str(status))


# The path may hold anything; the route, known after routing, is one of a few.
def _set_route(request_span: Span, scope: Scope) -> None:
    route = getattr(scope.get("route"), "path", "")
    if route:
        request_span.set_attribute("http.route", route)
        request_span.update_name(f"{scope['method']} {route}")

"""Where spans go: to the collector that OpenTelemetry's own variables name, or nowhere."""

from __future__ import annotations

import asyncio
import os
from typing import Final

from opentelemetry import trace

from mini_agent.extras import extra_needed

ADDRESSES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_MS: Final = 3000


def export_spans(service: str) -> None:
    """From now on, under this name; `NotConfigured` where the extra `otel` is missing.

    OTEL_SERVICE_NAME is another name, OTEL_SDK_DISABLED=true means nowhere. Whoever started this
    process with spans of their own set up (`opentelemetry-instrument`) keeps that.
    """
    named = next((name for name in ADDRESSES if os.environ.get(name)), "")
    is_off = os.environ.get("OTEL_SDK_DISABLED", "").lower() == "true"
    is_set_up = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    if not named or is_off or is_set_up:
        return
    with extra_needed("otel", what=named):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    os.environ.setdefault("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(resource=Resource.create())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


async def flush_spans() -> None:
    """Sends what waits to be sent, if anything does; gives up soon on a collector that is away.

    A server that is told to stop by a signal ends without any other chance to.
    """
    flush = getattr(trace.get_tracer_provider(), "force_flush", None)
    if flush is not None:
        await asyncio.to_thread(flush, FLUSH_MS)

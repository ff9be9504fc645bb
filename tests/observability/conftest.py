"""Spans as a program sees them that has OpenTelemetry's SDK; no setting of this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from mini_agent.net import telemetry
from mini_agent_shim.settings import ShimSettings
from tests.observability.exported_spans import ExportedSpans


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in ShimSettings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.delenv(telemetry.CAPTURE_CONTENT_VARIABLE, raising=False)


# A provider set for the process could not be taken back, and other tests have none.
@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExportedSpans]:
    """The spans that end during the test."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("mini_agent"))
    yield ExportedSpans(exporter)
    provider.shutdown()

"""The shim as a process: what it takes when idle, and spans on their way to a collector."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mini_agent.testing import ScriptedServer, text
from tests.observability.exported_spans import TRACE, TRACEPARENT
from tests.shim.serving import serve_app

START_S = 60.0
# Of the 250 MiB that it may take, so that a library that grows is noticed in time.
IDLE_MIB = 235
# What the image sets.
AS_IN_THE_IMAGE = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
ASKED = {
    "messages": [{"role": "user", "content": "hi"}],
    "tool_backend": "echo",
}


@dataclass
class Collector:
    """Takes spans as OTLP over HTTP."""

    names: dict[str, str] = field(default_factory=dict)
    services: set[str] = field(default_factory=set)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/traces", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        sent = ExportTraceServiceRequest.FromString(await request.body())
        for resource in sent.resource_spans:
            named = {each.key: each.value.string_value for each in resource.resource.attributes}
            self.services.add(named["service.name"])
            for scope in resource.scope_spans:
                self.names |= {each.name: each.trace_id.hex() for each in scope.spans}
        return Response(b"", media_type="application/x-protobuf")


@contextmanager
def shim(**variables: str) -> Iterator[tuple[str, int]]:
    """The address and the process id of a shim of its own; it is stopped afterwards."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    own = {"MINI_AGENT_SHIM_PORT": str(port), **AS_IN_THE_IMAGE, **variables}
    with subprocess.Popen(
        [sys.executable, "-m", "mini_agent_shim"], env=plain | own, stderr=subprocess.PIPE
    ) as process:
        try:
            yield _address(port, process), process.pid
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _address(port: int, process: subprocess.Popen[bytes]) -> str:
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + START_S
    while True:
        try:
            httpx.get(f"{address}/healthz", trust_env=False).raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until, "the shim does not start"
            time.sleep(0.1)
        else:
            return address


def ran(address: str, model: str, **headers: str) -> str:
    """Why a whole run stopped, for which LiteLLM has to be there."""
    answer = httpx.post(
        f"{address}/agent/run",
        json={**ASKED, "model": model},
        headers=headers,
        timeout=60,
        trust_env=False,
    )
    return str(answer.json()["stopped_reason"])


def mib(process: int) -> float:
    """The memory that is the process's own, and its share of what it has with others."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text()
    (kib,) = re.findall(r"^Pss: +(\d+) kB", rollup, re.MULTILINE)
    return int(kib) / 1024


@dataclass(frozen=True)
class Life:
    """What was measured of a shim that did one run, was idle, and was stopped."""

    idle_mib: float
    collector: Collector


@pytest.fixture(scope="module")
def life() -> Life:
    """With a collector, so that OpenTelemetry's SDK is loaded as well."""
    collector = Collector()
    with ScriptedServer([text("hey")]) as model, serve_app(collector.app()) as otlp:
        with shim(OLLAMA_API_BASE=model.url, OTEL_EXPORTER_OTLP_ENDPOINT=otlp) as (address, pid):
            # LiteLLM knows no such maker of models, so it has to be there to say so.
            assert ran(address, "nobody/m") == "error"
            idle = mib(pid)
            assert ran(address, "ollama/m", **TRACEPARENT) == "success"
        # What was not sent by then is sent when the shim stops.
        return Life(idle, collector)


def test_an_idle_shim_that_has_litellm_loaded_stays_small(life: Life) -> None:
    assert life.idle_mib < IDLE_MIB


def test_spans_go_to_the_collector_that_the_standard_variables_name(life: Life) -> None:
    own = ("POST /agent/run", "invoke_agent mini-agent", "chat ollama/m")
    assert {name: life.collector.names.get(name) for name in own} == dict.fromkeys(own, TRACE)
    assert life.collector.services == {"mini-agent"}


def test_a_collector_without_the_extra_is_told_at_the_start() -> None:
    hidden = "import sys; sys.modules['opentelemetry.sdk.trace'] = None; import runpy; "
    asked = subprocess.run(
        [sys.executable, "-c", hidden + "runpy.run_module('mini_agent_shim', run_name='__main__')"],
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert asked.returncode == 2
    assert "OTEL_EXPORTER_OTLP_ENDPOINT needs opentelemetry.sdk" in asked.stderr
    assert "pip install 'mini-agent[otel]'" in asked.stderr

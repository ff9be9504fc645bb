"""The shim does what its own description says, whatever it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from mini_agent.model import ModelReply, ModelRequest
from mini_agent_shim.app import create_app
from tests.shim.openai.test_chat import SETTINGS
from tests.shim.runs.run_client import REQUEST
from tests.shim.scripted import ScriptedSidecar
from tests.shim.serving import serve_app

if TYPE_CHECKING:  # The name is there for type checkers alone.
    from schemathesis.specs.openapi.schemas import OpenApiOperation

pytestmark = pytest.mark.timeout(400)

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    ("POST", "/agent/run"),
    ("GET", "/healthz"),
    ("GET", "/metrics"),
    ("GET", "/ready"),
    ("GET", "/runs"),
    ("GET", "/runs/{run_id}"),
    ("GET", "/runs/{run_id}/artifacts"),
    ("GET", "/runs/{run_id}/artifacts/{number}"),
    ("GET", "/runs/{run_id}/bundle"),
    ("POST", "/runs/{run_id}/cancel"),
    ("GET", "/runs/{run_id}/events"),
    ("GET", "/status"),
    ("POST", "/v1/chat/completions"),
    ("GET", "/v1/models"),
    ("GET", "/v1/models/{name}"),
    ("POST", "/v1/responses"),
}


class Agreeable:
    """A model that has one answer to everything."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        del request
        return ModelReply(text="Yes.")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve_app(ScriptedSidecar().app()) as sidecar:
        there = {"sidecar_url": sidecar, "sidecar_token": "token", "code_model": "a/b"}
        app = create_app(SETTINGS.model_validate(there), model=Agreeable())
        with serve_app(app) as address:
            yield address


@pytest.fixture(scope="module")
def schema(url: str) -> OpenApiSchema:
    """The description, as the service gives it."""
    return schemathesis.openapi.from_url(f"{url}/openapi.json")


def test_every_operation_is_tried(schema: OpenApiSchema) -> None:
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert {(each.method.upper(), each.path) for each in found} == OPERATIONS


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_whatever_is_sent_is_answered_as_described(
    url: str, schema: OpenApiSchema, method: str, path: str
) -> None:
    answer = httpx.post(f"{url}/agent/run", json=REQUEST, trust_env=False)
    run_id = answer.headers["x-run-id"]

    @settings(
        max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(case=schema[path][method].as_strategy())
    def send(case: schemathesis.Case[OpenApiOperation]) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)
        if "run_id" in (case.path_parameters or {}):
            case.path_parameters["run_id"] = run_id
            case.call_and_validate(checks=CHECKS, timeout=60)

    send()

"""The API does what its own description says, whatever it is sent."""

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

from mini_agent.sandbox import SessionOpened
from tests.docker.sidecar_process import (
    HEADERS,
    Sidecar,
    require_engine,
    sidecar,
)

if TYPE_CHECKING:  # The name is there for type checkers alone.
    from schemathesis.specs.openapi.schemas import OpenApiOperation

pytestmark = [pytest.mark.docker, pytest.mark.timeout(400)]

CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SESSION = "/v1/sessions/{session_id}"
SANDBOX = "/v1/sandboxes/{sandbox_id}"
OPERATIONS = {
    ("POST", "/v1/execute"),
    ("GET", "/v1/languages"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("POST", "/v1/sessions"),
    ("GET", SESSION),
    ("DELETE", SESSION),
    ("POST", f"{SESSION}/execute"),
    ("POST", f"{SESSION}/interrupt"),
    ("POST", f"{SESSION}/keep"),
    ("GET", f"{SESSION}/files"),
    ("GET", f"{SESSION}/files/{{path}}"),
    ("PUT", f"{SESSION}/files/{{path}}"),
    ("DELETE", f"{SESSION}/files/{{path}}"),
    ("POST", "/v1/sandboxes"),
    ("GET", SANDBOX),
    ("DELETE", SANDBOX),
    ("GET", f"{SANDBOX}/endpoints/{{port}}"),
    ("POST", f"{SANDBOX}/execd/code"),
}


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    require_engine()
    with sidecar(tmp_path_factory.mktemp("described"), sessions="512") as running:
        yield running


@pytest.fixture(scope="module")
def schema(described: Sidecar) -> OpenApiSchema:
    """The description, as the service gives it."""
    url = f"{described.url}/openapi.json"
    return schemathesis.openapi.from_url(url, headers=HEADERS)


@pytest.fixture
def session(described: Sidecar) -> str:
    """The id of a session that is open."""
    url = f"{described.url}/v1/sessions"
    answer = httpx.post(url, json={}, headers=HEADERS, trust_env=False)
    return SessionOpened.model_validate_json(answer.content).id


@pytest.fixture
def made(described: Sidecar) -> str:
    """The id of a sandbox in OpenSandbox's words."""
    url = f"{described.url}/v1/sandboxes"
    return str(httpx.post(url, json={}, headers=HEADERS, trust_env=False).json()["id"])


def test_every_operation_is_tried(schema: OpenApiSchema) -> None:
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    assert {(each.method.upper(), each.path) for each in found} == OPERATIONS


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_whatever_is_sent_is_answered_as_described(
    schema: OpenApiSchema, session: str, made: str, method: str, path: str
) -> None:
    @settings(
        max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(case=schema[path][method].as_strategy())
    def send(case: schemathesis.Case[OpenApiOperation]) -> None:
        case.call_and_validate(headers=HEADERS, checks=CHECKS, timeout=60)
        for name, known in (("session_id", session), ("sandbox_id", made)):
            if name in (case.path_parameters or {}):
                case.path_parameters[name] = known
                case.call_and_validate(headers=HEADERS, checks=CHECKS, timeout=60)

    send()

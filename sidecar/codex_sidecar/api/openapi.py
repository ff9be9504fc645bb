"""Builds the OpenAPI document, with the bodies that routes read and write by themselves."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from codex_sidecar.api.opensandbox.models import Code, Creation
from codex_sidecar.http.auth import API_KEY_HEADER, SANDBOX_KEY_HEADER
from mini_agent_protocol.execution import Output
from mini_agent_protocol.problems import Problem
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.workspace import SessionRequest

Responses = dict[int | str, dict[str, object]]
OpenApiExtra = dict[str, object]

_COMPONENTS: Final = "#/components/schemas/"
_DESCRIPTIONS: Final = MappingProxyType(
    {
        400: "The body is no JSON, or ended too early.",
        401: "The token is missing or wrong.",
        404: "There is no such session, or no such file in it.",
        408: "The body took too long.",
        409: "As many calls as may wait for this session are waiting.",
        413: "It is larger than can be taken.",
        415: "The body is of another type, or compressed.",
        422: "A field has a wrong name, type, range or value; the message names it.",
        429: "All are taken; Retry-After says when to come back.",
        500: "The sandbox failed, or this service did.",
        503: "The engine is away, or an image is missing.",
    }
)

JSON_BODY_ERRORS: Final = (400, 408, 413, 415)
SANDBOX_ERRORS: Final = (429, 500, 503)


def problem_responses(*codes: int) -> Responses:
    """Return the error answers of a route."""
    responses: Responses = {}
    for code in (401, *codes):
        responses[code] = {"model": Problem, "description": _DESCRIPTIONS[code]}
        if code == 429:
            responses[code]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return responses


def event_stream_response() -> Responses:
    """Return the answer as server-sent events."""
    text = "Events: `output` with an Output, last `execution` with the Execution, or `error`."
    schema = {"type": "string", "description": text}
    return {200: {"content": {"text/event-stream": {"schema": schema}}}}


def json_request_body(model: str, *, required: bool = True) -> OpenApiExtra:
    """Return a JSON body that the route reads by itself."""
    schema = {"$ref": f"{_COMPONENTS}{model}"}
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}
    }


def merge_extras(*parts: OpenApiExtra) -> OpenApiExtra:
    """Merge several additions to one route."""
    parameters = [one for part in parts for one in _parameters(part)]
    together: OpenApiExtra = {key: value for part in parts for key, value in part.items()}
    return together | ({"parameters": parameters} if parameters else {})


def _parameters(part: OpenApiExtra) -> list[object]:
    listed = part.get("parameters", [])
    return listed if isinstance(listed, list) else []


CALLER_HEADER: Final[OpenApiExtra] = {
    "parameters": [
        {
            "name": "X-Caller",
            "in": "header",
            "description": "Whose turn it takes: callers are served in turn.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
        }
    ]
}
BINARY_BODY: Final[OpenApiExtra] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}

_UNROUTED_MODELS: Final[tuple[tuple[type[BaseModel], Literal["validation"]], ...]] = (
    (Snippet, "validation"),
    (SessionRequest, "validation"),
    (Output, "validation"),
    (Creation, "validation"),
    (Code, "validation"),
)


_SCHEMES: Final[OpenApiExtra] = {
    "token": {"type": "http", "scheme": "bearer"},
    "opensandbox": {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
    "one_sandbox": {"type": "apiKey", "in": "header", "name": SANDBOX_KEY_HEADER},
}


def secured_by(*schemes: str) -> OpenApiExtra:
    """Return the security schemes of a route that admits others than the token."""
    return {"security": [{scheme: []} for scheme in schemes]}


def build_openapi(app: FastAPI) -> dict[str, JsonValue]:
    """Build the OpenAPI document."""
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    _, schemas = models_json_schema(_UNROUTED_MODELS, ref_template=_COMPONENTS + "{model}")
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    components["securitySchemes"] = _SCHEMES
    document["security"] = [{"token": []}]
    return document

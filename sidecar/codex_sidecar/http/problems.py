"""Turns each error of the tree into its answer."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.responses import JSONResponse

from codex_sidecar.errors import Busy, RefusedRequest
from mini_agent_protocol.asgi.problems import Statuses, error_body, find_status, problem_response
from mini_agent_protocol.errors import BadRequest, MiniAgentError, SandboxUnavailable, Unauthorized

STATUSES: Final[Statuses] = (
    (Busy, HTTPStatus.TOO_MANY_REQUESTS),
    (Unauthorized, HTTPStatus.UNAUTHORIZED),
    (BadRequest, HTTPStatus.UNPROCESSABLE_ENTITY),
    (SandboxUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
)


def create_error_response(
    error: MiniAgentError, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Build the answer to an error, with these headers and those that the error implies."""
    merged = dict(headers or {})
    if isinstance(error, Unauthorized):
        merged["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy):
        merged["Retry-After"] = str(error.retry_after_s)
    status = error.status if isinstance(error, RefusedRequest) else find_status(error, STATUSES)
    return problem_response(status, error_body(error), merged)

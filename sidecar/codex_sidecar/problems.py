"""The sidecar's own errors, and the answer each error of the tree becomes."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi.responses import JSONResponse

from codex_sidecar.errors import Busy, RefusedRequest
from mini_agent.errors import (
    BadRequest,
    ErrorBody,
    MiniAgentError,
    Problem,
    SandboxUnavailable,
    Unauthorized,
)


def answer(
    error: MiniAgentError, request_id: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The error as a response, with these headers and those that go with the error."""
    told = dict(headers or {})
    if isinstance(error, Unauthorized):
        told["WWW-Authenticate"] = "Bearer"
    if isinstance(error, Busy):
        told["Retry-After"] = str(error.retry_after_s)
    problem = problem_of(error, request_id)
    return JSONResponse(problem.model_dump(), status_code=_status(error), headers=told)


def problem_of(error: MiniAgentError, request_id: str) -> Problem:
    """The error as callers read it."""
    said = ErrorBody(
        code=error.code,
        message=error.message,
        hint=error.hint,
        request_id=request_id,
        retryable=error.retryable,
    )
    return Problem(error=said)


def _status(error: MiniAgentError) -> int:
    if isinstance(error, RefusedRequest):
        return error.status
    if isinstance(error, Busy):
        return HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(error, Unauthorized):
        return HTTPStatus.UNAUTHORIZED
    if isinstance(error, BadRequest):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, SandboxUnavailable):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR

"""The sidecar's own errors, and the answer each error of the tree becomes."""

from __future__ import annotations

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


def answer(error: MiniAgentError, request_id: str) -> JSONResponse:
    """The error as a response."""
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.retry_after_s)
    said = ErrorBody(
        code=error.code,
        message=error.message,
        hint=error.hint,
        request_id=request_id,
        retryable=error.retryable,
    )
    problem = Problem(error=said)
    return JSONResponse(problem.model_dump(), status_code=_status(error), headers=headers)


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

"""Error responses: every 4xx and 5xx of the shim has a `Problem` as its body."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from mini_agent.errors import BadRequest, ErrorBody, MiniAgentError, SandboxUnavailable
from mini_agent_protocol.asgi.problems import Statuses, error_body, find_status, problem_response
from mini_agent_shim import metrics
from mini_agent_shim.errors import (
    AccessDenied,
    IdempotencyKeyReused,
    NotFound,
    RunLogUnavailable,
    RunNotFound,
    RunWithoutResult,
    ShuttingDown,
    TooManyRequests,
)

STATUSES: Final[Statuses] = (
    (BadRequest, HTTPStatus.BAD_REQUEST),
    (SandboxUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (RunLogUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (ShuttingDown, HTTPStatus.SERVICE_UNAVAILABLE),
    (RunNotFound, HTTPStatus.NOT_FOUND),
    (NotFound, HTTPStatus.NOT_FOUND),
    (IdempotencyKeyReused, HTTPStatus.CONFLICT),
    (RunWithoutResult, HTTPStatus.CONFLICT),
    (TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
)
MAX_SHOWN_ERRORS: Final = 5


def install_problem_handlers(app: FastAPI) -> None:
    """Install exception handlers that turn every error of a route into a problem."""
    app.exception_handler(MiniAgentError)(_handle_error)
    app.exception_handler(RequestValidationError)(_handle_invalid_request)
    app.exception_handler(HTTPException)(_handle_http_error)
    app.exception_handler(Exception)(_handle_unexpected)


def respond_with_problem(status: int, error: ErrorBody) -> JSONResponse:
    """Return the response for an error, and count it."""
    metrics.count_error(error.code)
    return problem_response(status, error)


def refuse_body(error: HTTPException) -> JSONResponse:
    """Return the response for a body whose declared length is too large."""
    refused = ErrorBody(code="request_entity_too_large", message=error.detail)
    return respond_with_problem(error.status_code, refused)


def respond_to_error(error: MiniAgentError) -> JSONResponse:
    """Return the response for one of our errors, with its status and headers."""
    if isinstance(error, AccessDenied):
        refused = respond_with_problem(error.status, error_body(error))
        if error.status == HTTPStatus.UNAUTHORIZED:
            refused.headers["WWW-Authenticate"] = "Bearer"
        return refused
    answer = respond_with_problem(find_status(error, STATUSES), error_body(error))
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(max(1, ceil(error.retry_after_s)))
    return answer


async def _handle_error(_request: Request, error: MiniAgentError) -> JSONResponse:
    return respond_to_error(error)


async def _handle_invalid_request(_request: Request, error: RequestValidationError) -> JSONResponse:
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        why = errors[0].get("ctx", {}).get("error", errors[0]["msg"])
        where = errors[0]["loc"][-1]
        return respond_with_problem(
            HTTPStatus.BAD_REQUEST,
            ErrorBody(
                code="malformed_json", message=f"the body is not JSON: {why}, at byte {where}"
            ),
        )
    message = "; ".join(
        _describe_field(each["loc"], each["msg"]) for each in errors[:MAX_SHOWN_ERRORS]
    )
    return respond_with_problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        ErrorBody(
            code="invalid_request",
            message=message,
            hint="send JSON (Content-Type: application/json); /docs shows what a request holds",
        ),
    )


def _describe_field(path: tuple[int | str, ...], message: str) -> str:
    field = ".".join(str(step) for step in path if step != "body") or "body"
    return f"{field}: {message.removeprefix('Value error, ')}"


async def _handle_http_error(_request: Request, error: HTTPException) -> JSONResponse:
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    return respond_with_problem(
        error.status_code,
        ErrorBody(code=code, message=str(error.detail), hint="/docs lists what there is"),
    )


async def _handle_unexpected(_request: Request, error: Exception) -> JSONResponse:
    return respond_with_problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ErrorBody(
            code="internal",
            message=f"the shim failed: {type(error).__name__}",
            hint="the shim's log has the traceback: `make logs`",
        ),
    )

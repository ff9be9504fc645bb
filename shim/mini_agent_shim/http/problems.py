"""Errors as answers: every 4xx and 5xx of the shim has the one shape `Problem`."""

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
    """Every error that leaves a route becomes a problem."""
    app.exception_handler(MiniAgentError)(_handle_error)
    app.exception_handler(RequestValidationError)(_handle_invalid_request)
    app.exception_handler(HTTPException)(_handle_http_error)
    app.exception_handler(Exception)(_handle_unexpected)


def respond_with_problem(status: int, error: ErrorBody) -> JSONResponse:
    """The answer for one error, which is counted."""
    metrics.count_error(error.code)
    return problem_response(status, error)


def refuse_body(error: HTTPException) -> JSONResponse:
    """The answer to a body that is too large, before it is sent."""
    refused = ErrorBody(code="request_entity_too_large", message=error.detail)
    return respond_with_problem(error.status_code, refused)


def respond_to_error(error: MiniAgentError) -> JSONResponse:
    """One of our errors as an answer, with the status it has."""
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
    wrongs = error.errors()
    if wrongs[0]["type"] == "json_invalid":
        why = wrongs[0].get("ctx", {}).get("error", wrongs[0]["msg"])
        where = wrongs[0]["loc"][-1]
        return respond_with_problem(
            HTTPStatus.BAD_REQUEST,
            ErrorBody(
                code="malformed_json", message=f"the body is not JSON: {why}, at byte {where}"
            ),
        )
    said = "; ".join(
        _describe_field(wrong["loc"], wrong["msg"]) for wrong in wrongs[:MAX_SHOWN_ERRORS]
    )
    return respond_with_problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        ErrorBody(
            code="invalid_request",
            message=said,
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

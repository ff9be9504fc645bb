"""Errors as responses: every 4xx and 5xx of the services has a `Problem` as its body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import JSONResponse

from mini_agent_protocol.asgi.request_id import HEADER, current_request_id
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.problems import ErrorBody, Problem

Statuses = Sequence[tuple[type[MiniAgentError], int]]


def problem_response(
    status: int, error: ErrorBody, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the response for an error, under the id of the request unless it has one already."""
    problem = build_problem(error)
    own = {**(headers or {}), HEADER: problem.error.request_id}
    return JSONResponse(problem.model_dump(), status_code=status, headers=own)


def build_problem(error: ErrorBody) -> Problem:
    """Return the body of such a response."""
    request_id = error.request_id or current_request_id()
    return Problem(error=error.model_copy(update={"request_id": request_id}))


def error_body(error: MiniAgentError) -> ErrorBody:
    """Return what one of our errors says on the wire."""
    return ErrorBody(
        code=error.code, message=error.message, hint=error.hint, retryable=error.retryable
    )


def find_status(error: MiniAgentError, statuses: Statuses) -> int:
    """Return the status of the first class that the error is of; 500 where it is of none."""
    matching = (status for kind, status in statuses if isinstance(error, kind))
    return next(matching, HTTPStatus.INTERNAL_SERVER_ERROR)

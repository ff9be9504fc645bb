"""What no answer and no line of a log may tell, and the one shape of an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import httpx

from mini_agent.errors import Problem

TOKEN: Final = "a-token-for-tests-alone"
ROOT: Final = re.escape(str(Path(__file__).parents[2]))
NEVER_TOLD: Final = re.compile(rf"{re.escape(TOKEN)}|Traceback|/site-packages/|/home/|{ROOT}/")


def require_no_secrets(said: str) -> None:
    """There is no token in it, no traceback and no path of the host."""
    found = NEVER_TOLD.search(said)
    assert found is None, said[max(0, found.start() - 500) : found.end() + 2000]


def require_problem(answer: httpx.Response) -> None:
    """An error is ours, in our shape, and tells nothing it should not."""
    if answer.is_error:
        _require_shape(answer, answer.read())


async def require_problem_response(answer: httpx.Response) -> None:
    """The same, of an asynchronous client."""
    if answer.is_error:
        _require_shape(answer, await answer.aread())


def _require_shape(answer: httpx.Response, body: bytes) -> None:
    # Only its head was asked for.
    if answer.request.method == "HEAD":
        return
    error = Problem.model_validate_json(body).error
    assert error.code
    assert error.request_id == answer.headers["x-request-id"]
    require_no_secrets(body.decode())

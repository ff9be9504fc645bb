"""What the guard writes back, whether the engine answered or not."""

from __future__ import annotations

import json
from http import HTTPStatus

from codex_sidecar.engine.exchange import Answer
from codex_sidecar.guard.errors import EngineSaidNo, Refused
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.problems import ErrorBody, Problem


def written(answer: Answer, *, closes: bool) -> bytes:
    """An answer as bytes of HTTP."""
    phrase = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {phrase}"]
    if answer.body:
        lines.append("Content-Type: application/json")
    if answer.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        lines.append(f"Content-Length: {len(answer.body)}")
    lines.append(f"Connection: {'close' if closes else 'keep-alive'}")
    return "\r\n".join([*lines, "", ""]).encode() + answer.body


def refusal(error: MiniAgentError) -> Answer:
    """The project's shape of an error, and beside it the engine's own, for clients of engines."""
    said = ErrorBody(
        code=error.code, message=error.message, hint=error.hint, retryable=error.retryable
    )
    whole = {"message": error.message} | Problem(error=said).model_dump()
    return Answer(_status(error), json.dumps(whole).encode())


def _status(error: MiniAgentError) -> int:
    if isinstance(error, (Refused, EngineSaidNo)):
        return error.status
    return HTTPStatus.BAD_GATEWAY

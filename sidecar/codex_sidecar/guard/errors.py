"""The errors of the guard: refused requests, and the engine's own errors."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent_protocol.errors import MiniAgentError


class RequestRefused(MiniAgentError):
    """A call that is not admitted; `status` is 403, or 400 where it is malformed."""

    code = "refused_by_guard"

    def __init__(self, why: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(why)
        self.status = status


class MalformedRequest(RequestRefused):
    """A request that two parsers could read differently; its connection is closed."""

    code = "malformed"

    def __init__(self, why: str) -> None:
        super().__init__(why, HTTPStatus.BAD_REQUEST)


class EngineErrorResponse(MiniAgentError):
    """An admitted call that the engine answered with the error `status`."""

    code = "engine_refused"

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status

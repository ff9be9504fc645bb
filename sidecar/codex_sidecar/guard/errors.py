"""What the guard says no to, and how."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent_protocol.errors import MiniAgentError


class RequestRefused(MiniAgentError):
    """A call that is not let through: `status` is 403 unless it is not even well-formed."""

    code = "refused_by_guard"

    def __init__(self, why: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        super().__init__(why)
        self.status = status


class MalformedRequest(RequestRefused):
    """A request that two readers could read differently; its connection is closed."""

    code = "malformed"

    def __init__(self, why: str) -> None:
        super().__init__(why, HTTPStatus.BAD_REQUEST)


class EngineErrorResponse(MiniAgentError):
    """A call that was let through and that the engine answered with `status`."""

    code = "engine_refused"

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status

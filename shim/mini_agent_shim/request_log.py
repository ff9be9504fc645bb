"""A line in the log for each request that was answered: what, who, how long. Never its content."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mini_agent_shim.log_lines import line_of

HEALTH_PATHS: Final = ("/healthz", "/ready")
PATH_CHARS: Final = 200
_log: Final = logging.getLogger(__name__)


class RequestLog:
    """Writes the lines; health checks have none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http" or scope["path"] in HEALTH_PATHS:
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            caller = scope.get("state", {}).get("caller")
            line = line_of(
                "request",
                method=scope["method"],
                path=scope["path"][:PATH_CHARS],
                status=status,
                ms=round((perf_counter() - started) * 1000),
                caller=caller.name if caller else "",
            )
            _log.info(line)

"""The access log: the method, path, status and duration of each request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_PATH_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Access:
    """One request that is over; `status` is 0 where no response was begun."""

    scope: Scope
    status: int
    duration_ms: float

    @property
    def method(self) -> str:
        """The method of the request."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The path of the request, or as much of it as a log line may hold."""
        return str(self.scope["path"])[:MAX_PATH_CHARS]

    def is_to(self, paths: frozenset[str]) -> bool:
        """Tell whether the request was to one of these paths, such as those of health checks."""
        return self.scope["path"] in paths


class AccessLogMiddleware:
    """Hands each request that is over to `write`, which knows the fields of the service's log."""

    def __init__(self, app: ASGIApp, write: Callable[[Access], None]) -> None:
        self.app = app
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = perf_counter(), 0

        async def send_noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noting_status)
        finally:
            self._write(Access(scope, status, (perf_counter() - started) * 1000))

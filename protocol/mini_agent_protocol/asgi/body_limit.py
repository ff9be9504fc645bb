"""Request bodies that are too large or too slow, refused while they come in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Files of 16 MiB in base64, and room for a conversation.
MAX_BODY_BYTES: Final = 32 << 20
BODY_TIMEOUT_S: Final = 30.0


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the body; raises what `LimitedReceive` raises, and `ClientDisconnect`."""
    return await Request(request.scope, LimitedReceive(request.receive, max_bytes)).body()


class LimitedReceive:
    """ASGI's `receive`; raises `HTTPException` (413, 408) where the body exceeds its limits."""

    def __init__(self, receive: Receive, max_bytes: int, timeout_s: float | None = None) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._timeout_s = BODY_TIMEOUT_S if timeout_s is None else timeout_s
        self._deadline = asyncio.get_running_loop().time() + self._timeout_s
        self._received = 0
        self._is_complete = False

    async def __call__(self) -> Message:
        """Return the next message."""
        if self._is_complete:
            # What follows the body is that the client has disconnected, however late.
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            why = f"the body took longer than {self._timeout_s:g} s"
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, why) from None
        self._received += len(message.get("body", b""))
        self._is_complete = not message.get("more_body", False)
        if self._received > self._max_bytes:
            raise _too_large(self._max_bytes)
        return message


class BodyLimitMiddleware:
    """Limits every body; one that says beforehand that it is too large is answered by `refuse`."""

    def __init__(self, app: ASGIApp, refuse: Callable[[HTTPException], Response]) -> None:
        self.app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        if length.isdigit() and int(length) > MAX_BODY_BYTES:
            response = self._refuse(_too_large(MAX_BODY_BYTES))
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        await self.app(scope, LimitedReceive(receive, MAX_BODY_BYTES), send)


def _too_large(max_bytes: int) -> HTTPException:
    why = f"the body is larger than {max_bytes} bytes"
    return HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, why)

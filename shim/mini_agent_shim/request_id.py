"""Every request has an id: the caller's, if it is one, else a new one; its answer has it, too."""

from __future__ import annotations

import re
import uuid
from contextvars import ContextVar
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "X-Request-Id"
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: Final[ContextVar[str]] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the request that is being answered; a new one outside of any."""
    return _current.get() or uuid.uuid4().hex


class RequestIds:
    """Gives each request its id."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        # Not reset: the answer to an unforeseen error is made further out.
        _current.set(given if _ID.fullmatch(given) else uuid.uuid4().hex)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = _current.get()
            await send(message)

        await self.app(scope, receive, named)

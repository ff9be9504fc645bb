"""The id of a request: the client's own where it is well-formed, a new one where it is not."""

from __future__ import annotations

import re
import secrets
from contextvars import ContextVar
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "X-Request-Id"
ID_BYTES: Final = 16
_WELL_FORMED: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_current: Final[ContextVar[str]] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """Return the id of the request that is being served; outside of any, a new one."""
    return _current.get() or secrets.token_hex(ID_BYTES)


class RequestIdMiddleware:
    """Gives each request its id, and names it in the response; new ids have `id_bytes`."""

    def __init__(self, app: ASGIApp, id_bytes: int = ID_BYTES) -> None:
        self.app = app
        self._id_bytes = id_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        request_id = given if _WELL_FORMED.fullmatch(given) else secrets.token_hex(self._id_bytes)
        # Not reset: the response to an unforeseen error is made further out.
        _current.set(request_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self.app(scope, receive, send_with_id)

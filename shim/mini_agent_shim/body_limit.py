"""A body that is too large or too slow is refused while it comes in, not once it is there."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mini_agent.errors import ErrorBody
from mini_agent_shim.problems import problem

# Files of 16 MiB in base64, and room for a conversation.
MOST_BYTES: Final = 32 << 20
LONGEST_S: Final = 30.0
TOO_LARGE: Final = ErrorBody(
    code="request_entity_too_large", message=f"the body is larger than {MOST_BYTES} bytes"
)


class BodyLimit:
    """Lets bodies of up to `MOST_BYTES` through to the app."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = Headers(scope=scope).get("content-length", "")
        if said.isdigit() and int(said) > MOST_BYTES:
            refused = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
            refused.headers["Connection"] = "close"
            await refused(scope, receive, send)
            return
        await self.app(scope, _Coming(receive).message, send)


class _Coming:
    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._until = asyncio.get_running_loop().time() + LONGEST_S
        self._came = 0
        self._is_whole = False

    async def message(self) -> Message:
        if self._is_whole:
            # What comes after the body is that the caller has gone, however late.
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            why = f"the body took longer than {LONGEST_S:g} s"
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, why) from None
        self._came += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._came > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE.message)
        return message

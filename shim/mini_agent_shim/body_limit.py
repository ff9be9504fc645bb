"""A request whose body is too large is refused while it comes in, not once it is there."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mini_agent.errors import ErrorBody
from mini_agent_shim.problems import problem

# Files of 16 MiB in base64, and room for a conversation.
MOST_BYTES: Final = 32 << 20
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
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > MOST_BYTES:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE.message)
            return message

        await self.app(scope, counted, send)

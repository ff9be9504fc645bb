"""The shim as `module:app`, for ASGI servers such as uvicorn.

Without a token it answers callers on this machine alone.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from mini_agent.errors import ErrorBody
from mini_agent_shim.app import create_app
from mini_agent_shim.http.problems import respond_with_problem
from mini_agent_shim.settings import ShimSettings, requires_token

TOKEN_REQUIRED: Final = ErrorBody(
    code="forbidden",
    message="this shim has no token, so it answers callers on its own machine alone",
    hint="set MINI_AGENT_SHIM_TOKEN, and send `Authorization: Bearer TOKEN`",
)


class LoopbackOnlyMiddleware:
    """Refuses callers from other machines, on whatever address the server listens."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        if scope["type"] == "http" and not _is_local(scope):
            await respond_with_problem(HTTPStatus.FORBIDDEN, TOKEN_REQUIRED)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


# A caller on a unix socket has no address.
def _is_local(scope: Scope) -> bool:
    client = scope.get("client")
    try:
        return client is None or ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


# Created on first access: importing a module does no work.
def __getattr__(name: str) -> ASGIApp:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    settings = ShimSettings()
    app = create_app(settings)
    return app if requires_token(settings) else LoopbackOnlyMiddleware(app)

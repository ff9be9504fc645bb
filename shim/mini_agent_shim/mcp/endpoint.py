"""An MCP server over streamable HTTP, as a part of a web app.

The sandboxes as an MCP server at `/mcp`, for clients with the shim's token.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mini_agent.mcp.sandbox_server.server import (
    ClientSessions,
    create_sandbox_server,
    parse_languages,
)
from mini_agent.sandbox import SidecarClient

PATH: Final = "/mcp"
SESSION_HEADER: Final = "mcp-session-id"
# Files of 16 MiB in base64, and room for a program.
MAX_REQUEST_BYTES: Final = 32 << 20
IDLE_TIMEOUT_S: Final = 1800.0
MAX_SESSIONS: Final = 1000

SessionEndListener = Callable[[str], Awaitable[None]]


async def _ignore_end(_client: str) -> None:
    pass


class McpEndpoint:
    """Serves while `running`; `gone` is told of each client that has ended its session."""

    def __init__(self, server: Server, gone: SessionEndListener = _ignore_end) -> None:
        self._gone = gone
        self._sessions = StreamableHTTPSessionManager(
            server,
            session_idle_timeout=IDLE_TIMEOUT_S,
            max_sessions=MAX_SESSIONS,
            max_request_body_size=MAX_REQUEST_BYTES,
        )

    @property
    def route(self) -> Route:
        """Where it is."""
        return Route(PATH, self)

    def run(self) -> AbstractAsyncContextManager[None]:
        """Once in its life, around all requests."""
        return self._sessions.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        await self._sessions.handle_request(scope, receive, send)
        client = Headers(scope=scope).get(SESSION_HEADER)
        if scope["method"] == "DELETE" and client is not None:
            await self._gone(client)


def read_client(request: object) -> str | None:
    """The MCP session that a message belongs to; None for protocols that have no sessions."""
    return request.headers.get(SESSION_HEADER) if isinstance(request, Request) else None


class SandboxMcpServer:
    """One sandbox session for each MCP session; it ends with it."""

    def __init__(self, sidecar: Callable[[], SidecarClient], languages: str) -> None:
        self._sessions = ClientSessions(sidecar)
        server = create_sandbox_server(self._sessions, parse_languages(languages), read_client)
        self.endpoint = McpEndpoint(server, self._sessions.close_client)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Once, around all requests."""
        async with self.endpoint.run():
            yield
        await self._sessions.aclose()

"""MCP over streamable HTTP at `/mcp`, and the sandboxes as such a server."""

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
    """Serves an MCP server while `run` is open; calls `on_end` for each session a client ends."""

    def __init__(self, server: Server, on_end: SessionEndListener = _ignore_end) -> None:
        self._on_end = on_end
        self._sessions = StreamableHTTPSessionManager(
            server,
            session_idle_timeout=IDLE_TIMEOUT_S,
            max_sessions=MAX_SESSIONS,
            max_request_body_size=MAX_REQUEST_BYTES,
        )

    @property
    def route(self) -> Route:
        """The route of the endpoint."""
        return Route(PATH, self)

    def run(self) -> AbstractAsyncContextManager[None]:
        """Run the session manager; enter it once, around all requests."""
        return self._sessions.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        await self._sessions.handle_request(scope, receive, send)
        client = Headers(scope=scope).get(SESSION_HEADER)
        if scope["method"] == "DELETE" and client is not None:
            await self._on_end(client)


def read_client(request: object) -> str | None:
    """Return the MCP session id of a request; None in protocol versions without sessions."""
    return request.headers.get(SESSION_HEADER) if isinstance(request, Request) else None


class SandboxMcpServer:
    """Gives each MCP session a sandbox session, which ends with it."""

    def __init__(self, sidecar: Callable[[], SidecarClient], languages: str) -> None:
        self._sessions = ClientSessions(sidecar)
        server = create_sandbox_server(self._sessions, parse_languages(languages), read_client)
        self.endpoint = McpEndpoint(server, self._sessions.close_client)

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Run the endpoint; enter it once, around all requests."""
        async with self.endpoint.run():
            yield
        await self._sessions.aclose()

"""The sandboxes as an MCP server at `/mcp`, for clients with the shim's token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from mini_agent.mcp.sandbox_server.server_ import languages_named, sandbox_server
from mini_agent.mcp.sandbox_server.sessions import Sessions
from mini_agent.sandbox import SidecarClient
from mini_agent_shim.mcp.endpoint import McpEndpoint, client_of


class SandboxMcp:
    """One sandbox session for each MCP session; it ends with it."""

    def __init__(self, sidecar: Callable[[], SidecarClient], languages: str) -> None:
        self._sessions = Sessions(sidecar)
        server = sandbox_server(self._sessions, languages_named(languages), client_of)
        self.endpoint = McpEndpoint(server, self._sessions.forget)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Once, around all requests."""
        async with self.endpoint.running():
            yield
        await self._sessions.aclose()

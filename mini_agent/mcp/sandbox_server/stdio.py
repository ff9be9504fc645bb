"""The sandbox as an MCP server on stdin and stdout: `mini-agent mcp`."""

from __future__ import annotations

import asyncio
from typing import Final

from mini_agent.mcp.sandbox_server.server import (
    ClientSessions,
    create_sandbox_server,
    parse_languages,
)
from mini_agent.mcp.stdio import serve_stdio
from mini_agent.net.telemetry import trace_headers
from mini_agent.sandbox import SidecarClient
from mini_agent.settings import Settings
from mini_agent.tools.sandbox_client import open_sandbox_for_service

CLIENT: Final = "stdio"


def serve() -> None:
    """Serve one client on stdin and stdout until it disconnects."""
    asyncio.run(_serve(Settings()))


async def _serve(settings: Settings) -> None:
    languages = parse_languages(settings.languages)
    sidecar = _LazySidecar(settings)
    sessions = ClientSessions(sidecar.client)

    async def aclose() -> None:
        await sessions.aclose()
        await sidecar.aclose()

    server = create_sandbox_server(sessions, languages, lambda _request: CLIENT)
    await serve_stdio(server, aclose)


class _LazySidecar:
    """Opens the client of the sidecar on first use: a missing configuration becomes the error of
    a call, which a user sees, where the stderr of a server that does not start is lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: SidecarClient | None = None

    def client(self) -> SidecarClient:
        if self._client is None:
            self._client = open_sandbox_for_service(self._settings, headers=trace_headers)
        return self._client

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

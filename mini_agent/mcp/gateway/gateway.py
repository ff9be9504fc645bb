"""The gateway itself: servers, kept side by side, and the catalog of their tools."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from types import TracebackType
from typing import Self

from mini_agent.errors import NotConfigured
from mini_agent.mcp.gateway.catalog import Catalog
from mini_agent.mcp.gateway.configuration import Configuration
from mini_agent.mcp.gateway.supervisor import KeptServer


class Gateway(Catalog):
    """Use it in `async with`: the servers are started side by side and end with the block."""

    def __init__(self, configuration: Configuration) -> None:
        hiding = configuration.environment.hiding
        super().__init__([KeptServer(each, hiding) for each in configuration.servers])
        self._keeping: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._keeping = [asyncio.create_task(server.keep()) for server in self._servers]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for keeping in self._keeping:
            keeping.cancel()
        if self._keeping:
            await asyncio.wait(self._keeping)

    async def require_required(self) -> None:
        """Returns when the servers marked `required` run; `NotConfigured` when one does not."""
        for server in self._servers:
            if not server.configured.is_required:
                continue
            await server.tried.wait()
            if server.state != "running":
                name, why = server.configured.name, server.standing.error or server.state
                raise NotConfigured(f"the required MCP server {name!r} does not run: {why}")

    def part(self, names: Collection[str]) -> Catalog:
        """The catalog of those servers alone, which stay the gateway's."""
        return Catalog([each for each in self._servers if each.configured.name in names])

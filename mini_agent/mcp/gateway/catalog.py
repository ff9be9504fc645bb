"""One catalog of the tools of several kept servers.

The gateway itself: servers, kept side by side, and the catalog of their tools.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from mcp.types import CallToolResult, Tool

from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.mcp.client.server import ProgressListener
from mini_agent.mcp.gateway.configuration import Configuration
from mini_agent.mcp.gateway.supervisor import ServerStatus, ServerSupervisor
from mini_agent.messages import JsonObject
from mini_agent.tools.wrappers import long_name

START_TIMEOUT_S: Final = 10.0
MAX_HINT_CHARS: Final = 800


class UnknownTool(BadRequest):
    """No server has a tool of this name, or several have."""

    code = "unknown_tool"


@dataclass(frozen=True, slots=True)
class _CatalogEntry:
    server: ServerSupervisor
    tool: Tool


class ToolCatalog:
    """The tools of `servers`, which somebody else keeps."""

    def __init__(self, servers: Sequence[ServerSupervisor]) -> None:
        self._servers = tuple(servers)
        self._known: tuple[tuple[Tool, ...], ...] = ()
        self._named: Mapping[str, _CatalogEntry] = {}

    async def list_tools(self) -> list[Tool]:
        """The tools of all servers that run, as `server__tool`.

        Servers that are just being started are waited for, but not long.
        """
        await self.wait_started(START_TIMEOUT_S)
        return [
            place.tool.model_copy(update={"name": name})
            for name, place in self._catalog().items()
            if place.server.state == "running"
        ]

    async def call(
        self, name: str, arguments: JsonObject, progress: ProgressListener
    ) -> CallToolResult:
        """What came of one call of a tool, by its long name or one that only one server has.

        Raises `UnknownTool`, and `ToolsUnavailable` when the call was cut or cannot be made.
        """
        place = self._found(name)
        if place is None:
            await self.wait_started(START_TIMEOUT_S)
            place = self._found(name)
        if place is None:
            known = ", ".join(self._catalog()) or "none: /health says why"
            raise UnknownTool(
                f"there is no tool {name!r:.80}",
                field="name",
                hint=f"there are: {known:.{MAX_HINT_CHARS}}",
            )
        return await place.server.call(place.tool.name, arguments, progress)

    def statuses(self) -> list[ServerStatus]:
        """How each server is."""
        return [server.status for server in self._servers]

    async def wait_started(self, within_s: float | None = None) -> None:
        """Returns when each server has started or failed to; None leaves the time to the servers,
        which have their own.
        """
        waits = [asyncio.create_task(server.settled.wait()) for server in self._servers]
        if not waits:
            return
        try:
            await asyncio.wait(waits, timeout=within_s)
        finally:
            for wait in waits:
                wait.cancel()

    def _found(self, name: str) -> _CatalogEntry | None:
        catalog = self._catalog()
        if name in catalog:
            return catalog[name]
        bare = [long for long, place in catalog.items() if place.tool.name == name]
        if len(bare) > 1:
            raise UnknownTool(
                f"several servers have a tool {name!r:.80}",
                field="name",
                hint=f"call one of them: {', '.join(bare)}",
            )
        return catalog[bare[0]] if bare else None

    def _catalog(self) -> Mapping[str, _CatalogEntry]:
        known = tuple(server.known_tools for server in self._servers)
        if known != self._known:
            self._known, self._named = known, self._new_catalog()
        return self._named

    def _new_catalog(self) -> Mapping[str, _CatalogEntry]:
        catalog: dict[str, _CatalogEntry] = {}
        for server in self._servers:
            taken: dict[str, str] = {}
            for tool in server.known_tools:
                name = long_name(server.configured.prefix, tool.name, taken)
                taken[name] = tool.name
                catalog.setdefault(name, _CatalogEntry(server, tool))
        return catalog


class Gateway(ToolCatalog):
    """Use it in `async with`: the servers are started side by side and end with the block."""

    def __init__(self, configuration: Configuration) -> None:
        redact = configuration.environment.redact
        super().__init__([ServerSupervisor(each, redact) for each in configuration.servers])
        self._keeping: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._keeping = [asyncio.create_task(server.run()) for server in self._servers]
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
            await server.settled.wait()
            if server.state != "running":
                name, why = server.configured.name, server.status.error or server.state
                raise NotConfigured(f"the required MCP server {name!r} does not run: {why}")

    def select_servers(self, names: Collection[str]) -> ToolCatalog:
        """The catalog of those servers alone, which stay the gateway's."""
        return ToolCatalog([each for each in self._servers if each.configured.name in names])

"""The MCP servers of the operator's files, which start with the shim and serve all runs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from mini_agent.errors import NotConfigured
from mini_agent.mcp.gateway.catalog import Gateway
from mini_agent.mcp.gateway.invoker import GatewayInvoker
from mini_agent.mcp.gateway.run_servers import load_run_configuration
from mini_agent.tools.invoker import Invoker
from mini_agent_shim.settings import ShimSettings

_log: Final = logging.getLogger(__name__)


class McpServers:
    """Holds the servers of MINI_AGENT_MCP_CONFIG; none where it is not set.

    INVARIANT: a request starts no process; it selects from those that the files name.
    """

    def __init__(self, settings: ShimSettings) -> None:
        self._settings = settings
        self._configuration = load_run_configuration(settings) if settings.mcp_config else None
        self._gateway: Gateway | None = None

    @asynccontextmanager
    async def run(self) -> AsyncIterator[None]:
        """Run the servers; raises `NotConfigured` where a required one does not start."""
        if self._configuration is None:
            yield
            return
        problems = (server.problem for server in self._configuration.servers)
        for remark in (*self._configuration.remarks, *problems):
            if remark:
                _log.warning(remark)
        async with Gateway(self._configuration) as self._gateway:
            await self._gateway.require_required()
            yield

    def open_tools(self, named: Sequence[str] | None) -> AbstractAsyncContextManager[Invoker]:
        """Open the tools of the named servers, or of all; raises `BadRequest` for others."""
        configuration = self._configuration or load_run_configuration(self._settings)
        names = [server.name for server in configuration.select(named).servers]
        if self._gateway is None:
            raise NotConfigured("the MCP servers are not started", field="tool_backend")
        return nullcontext(GatewayInvoker(self._gateway.select_servers(names)))

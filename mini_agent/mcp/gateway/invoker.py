"""The gateway's catalog as the tools of a run, without HTTP in between.

The MCP servers of runs: those of the operator's files, which no request can name or change.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mini_agent.errors import MiniAgentError, NotConfigured, ToolsUnavailable
from mini_agent.mcp.client.convert import output_of_result, tool_of
from mini_agent.mcp.client.session import told_as_stderr
from mini_agent.mcp.gateway.catalog import Catalog
from mini_agent.mcp.gateway.configuration import Configuration, configuration_of
from mini_agent.settings import Settings
from mini_agent.tools.arguments import NotRun, called
from mini_agent.tools.invoker import (
    Invoker,
    Listener,
    OpenAIToolCall,
    Tool,
    ToolOutput,
    refused,
    unheard,
)
from mini_agent.tools.wrappers import ToolsMissing

if TYPE_CHECKING:
    from mini_agent.mcp.gateway.catalog import Gateway


class GatewayInvoker:
    """The tools of all servers of `catalog` as `server__tool`.

    A server that does not run is left out, with a warning, as long as another does.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def list_openai_tools(self) -> list[Tool]:
        """All tools; `ToolsUnavailable` when no server runs."""
        await self._catalog.tried()
        tools = [tool_of(tool) for tool in await self._catalog.tools()]
        standings = self._catalog.standings()
        away = [
            f"{each.name} is {each.state}{f': {each.error}' if each.error else ''}"
            for each in standings
            if each.state not in ("running", "disabled")
        ]
        if not any(each.state == "running" for each in standings):
            raise ToolsUnavailable(f"no MCP server runs: {'; '.join(away) or 'all are disabled'}")
        for why in away:
            warnings.warn(f"tools are missing: {why}", ToolsMissing, stacklevel=2)
        return tools

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """What came of one call; a server that fails is told to the model as well."""
        return await self.stream_openai_tool(openai_tool, unheard)

    async def stream_openai_tool(self, openai_tool: OpenAIToolCall, tell: Listener) -> ToolOutput:
        """The same; `tell` gets the progress that the server reports."""
        try:
            name, arguments = called(openai_tool)
            result = await self._catalog.result(name, arguments, told_as_stderr(tell))
        except (NotRun, MiniAgentError) as why:
            return refused(str(why))
        return output_of_result(result)


def configuration_for_runs(settings: Settings) -> Configuration:
    """What the files of MINI_AGENT_MCP_CONFIG say; `NotConfigured` where it names none.

    Unlike the gateway's command, it takes no file unasked: somebody else's request would start
    what is in there.
    """
    files = files_for_runs(settings)
    if not files:
        raise NotConfigured(
            "tool_backend 'mcp' needs a file that names MCP servers",
            field="tool_backend",
            hint="set MINI_AGENT_MCP_CONFIG to a config.toml of Codex or a .mcp.json; a request "
            "cannot name one",
        )
    return configuration_of(files, os.environ)


def files_for_runs(settings: Settings) -> list[Path]:
    """The files that MINI_AGENT_MCP_CONFIG names."""
    named = [file.strip() for file in settings.mcp_config.split(os.pathsep)]
    return [Path(file).expanduser() for file in named if file]


@asynccontextmanager
async def servers_of_run(configuration: Configuration) -> AsyncIterator[Invoker]:
    """The tools of servers that are started for one run, and end with it.

    Raises `NotConfigured` for one that is required and does not start.
    """
    make_gateway, make_invoker = await asyncio.to_thread(_with_the_mcp_sdk)
    async with make_gateway(configuration) as gateway:
        await gateway.require_required()
        yield make_invoker(gateway)


# The SDK takes a second to import.
def _with_the_mcp_sdk() -> tuple[type[Gateway], type[GatewayInvoker]]:
    from mini_agent.mcp.gateway.catalog import Gateway

    return Gateway, GatewayInvoker

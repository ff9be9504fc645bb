"""The invoker of a gateway's catalog, in the same process."""

from __future__ import annotations

import warnings

from mini_agent.errors import MiniAgentError, ToolsUnavailable
from mini_agent.mcp.client.convert import convert_result, convert_tool
from mini_agent.mcp.client.session import progress_as_stderr
from mini_agent.mcp.gateway.catalog import ToolCatalog
from mini_agent.tools.arguments import RejectedCall, parse_tool_call
from mini_agent.tools.invoker import (
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    discard_output,
    error_output,
)
from mini_agent.tools.wrappers import MissingToolsWarning


class GatewayInvoker:
    """The tools of all servers of `catalog`, as `server__tool`.

    A server that does not run is left out with a warning, as long as another one runs.
    """

    def __init__(self, catalog: ToolCatalog) -> None:
        self._catalog = catalog

    async def list_openai_tools(self) -> list[Tool]:
        """List all tools; raises `ToolsUnavailable` where no server runs."""
        await self._catalog.wait_started()
        self._catalog.report_changes()
        tools = [convert_tool(tool) for tool in await self._catalog.list_tools()]
        statuses = self._catalog.statuses()
        away = [
            f"{each.name} is {each.state}{f': {each.error}' if each.error else ''}"
            for each in statuses
            if each.state not in ("running", "disabled")
        ]
        if not any(each.state == "running" for each in statuses):
            raise ToolsUnavailable(f"no MCP server runs: {'; '.join(away) or 'all are disabled'}")
        for why in away:
            warnings.warn(f"tools are missing: {why}", MissingToolsWarning, stacklevel=2)
        return tools

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Call one tool; a failure of the server is an output for the model."""
        return await self.stream_openai_tool(openai_tool, discard_output)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> ToolOutput:
        """Call one tool; `listener` gets the progress that the server reports."""
        try:
            name, arguments = parse_tool_call(openai_tool)
            result = await self._catalog.call(name, arguments, progress_as_stderr(listener))
        except (RejectedCall, MiniAgentError) as why:
            return error_output(str(why))
        return convert_result(result)

"""The gateway's catalog as one MCP server, whatever carries its messages."""

from __future__ import annotations

from importlib.metadata import version

from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)

from mini_agent.errors import MiniAgentError
from mini_agent.mcp.client.convert import failed
from mini_agent.mcp.gateway.catalog import Catalog, UnknownTool


def gateway_server(gateway: Catalog) -> Server:
    """Results, errors, images, structured content and progress pass as the servers give them."""

    async def listed(
        _context: ServerRequestContext, _asked: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=await gateway.tools())

    async def called(context: ServerRequestContext, asked: CallToolRequestParams) -> CallToolResult:
        try:
            return await gateway.result(
                asked.name, asked.arguments or {}, context.session.report_progress
            )
        except UnknownTool as unknown:
            raise MCPError(code=INVALID_PARAMS, message=str(unknown)) from None
        except MiniAgentError as why:
            return failed(str(why))

    return Server(
        "mini-agent-gateway",
        version=version("mini-agent"),
        on_list_tools=listed,
        on_call_tool=called,
    )

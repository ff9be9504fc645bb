"""The gateway's catalog as an MCP server over any transport, and its results over HTTP."""

from __future__ import annotations

import json
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
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.errors import MiniAgentError
from mini_agent.mcp.client.convert import convert_content, error_result
from mini_agent.mcp.gateway.catalog import ToolCatalog, UnknownTool
from mini_agent.messages import Attachment


class Answer(BaseModel):
    """The result of a tool call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = Field(
        default=None, description="The output of the tool; null where it failed."
    )
    error: str | None = Field(
        default=None, description="Why the tool failed; null where it did not."
    )
    data: JsonValue = Field(default=None, description="The structured content; null for none.")
    attachments: tuple[Attachment, ...] = Field(
        default=(), description="Images and files, which the text names."
    )


def build_answer(result: CallToolResult) -> Answer:
    """Convert an MCP result."""
    output = convert_content(result)
    data: JsonValue = json.loads(json.dumps(result.structured_content))
    if output.error is not None:
        return Answer(error=output.error, data=data, attachments=output.attachments)
    note = f"(note: {output.note})" if output.note else ""
    text = "\n".join(part for part in (output.stdout, note) if part)
    return Answer(text=text, data=data, attachments=output.attachments)


def create_gateway_server(gateway: ToolCatalog) -> Server:
    """Create the server; results, errors, images and progress pass through unchanged."""

    async def handle_list(
        _context: ServerRequestContext, _params: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=await gateway.list_tools())

    async def handle_call(
        context: ServerRequestContext, params: CallToolRequestParams
    ) -> CallToolResult:
        try:
            return await gateway.call(
                params.name, params.arguments or {}, context.session.report_progress
            )
        except UnknownTool as unknown:
            raise MCPError(code=INVALID_PARAMS, message=str(unknown)) from None
        except MiniAgentError as why:
            return error_result(str(why))

    return Server(
        "mini-agent-gateway",
        version=version("mini-agent"),
        on_list_tools=handle_list,
        on_call_tool=handle_call,
    )

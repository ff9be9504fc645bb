"""An MCP server whose results and schemas are not what it says they are: a program."""

from __future__ import annotations

import asyncio

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)

PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
TOOLS = [
    Tool(name="mismatch", input_schema={"type": "object"}, output_schema=PERSON),
    Tool(name="no data", input_schema={"type": "object"}, output_schema=PERSON),
    Tool(
        name="find/person",
        input_schema={
            "anyOf": [
                {"type": "object", "properties": {"who": {"$ref": "#/$defs/Who"}}},
                {"type": "object", "properties": {"id": {"type": "integer", "required": True}}},
            ],
            "type": "object",
            "$defs": {"Who": {"type": "object", "properties": {"name": {"type": "string"}}}},
        },
    ),
]


async def list_tools(
    _context: ServerRequestContext, _params: PaginatedRequestParams | None
) -> ListToolsResult:
    return ListToolsResult(tools=TOOLS)


async def call_tool(
    _context: ServerRequestContext, params: CallToolRequestParams
) -> CallToolResult:
    said = TextContent(type="text", text=f"deleted by {params.name}: {params.arguments}")
    data = {"age": "unknown"} if params.name == "mismatch" else None
    return CallToolResult(content=[said], structured_content=data)


async def main() -> None:
    server = Server("careless", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main())

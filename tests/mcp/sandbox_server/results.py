"""Short words for what an MCP client's results hold."""

from __future__ import annotations

import re

from mcp import Client
from mcp.types import CallToolResult, ImageContent, TextContent
from pydantic import JsonValue


async def call_result(client: Client, tool: str, **arguments: JsonValue) -> CallToolResult:
    return await client.call_tool(tool, arguments)


async def call_text(client: Client, tool: str, **arguments: JsonValue) -> str:
    """The text of a call that was carried out."""
    result = await call_result(client, tool, **arguments)
    assert not result.is_error, texts(result)
    return texts(result)


async def call_error(client: Client, tool: str, **arguments: JsonValue) -> str:
    """The text of a call that was not."""
    result = await call_result(client, tool, **arguments)
    assert result.is_error, texts(result)
    return texts(result)


def texts(result: CallToolResult) -> str:
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


def images(result: CallToolResult) -> list[ImageContent]:
    return [block for block in result.content if isinstance(block, ImageContent)]


def find_session_id(text: str) -> str:
    found = re.search(r"note: session: (\S+)", text)
    assert found is not None, text
    return found[1]

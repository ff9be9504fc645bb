"""Our MCP client as the official conformance suite starts it: the server's address comes last."""

from __future__ import annotations

import asyncio
import sys

from mini_agent import McpInvoker
from mini_agent.messages import function_call
from mini_agent.tools.invoker import get_tool_name

ARGUMENTS = {"add_numbers": {"a": 40, "b": 2}}


async def main(url: str) -> None:
    """List the tools, and call each."""
    async with McpInvoker.address(url) as tools:
        for name in [get_tool_name(tool) for tool in await tools.list_openai_tools()]:
            output = await tools.call_openai_tool(function_call("1", name, ARGUMENTS.get(name, {})))
            print(name, output)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[-1]))

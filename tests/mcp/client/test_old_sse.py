"""Servers with the older SSE alone: found out, named in a file, restarted, refusing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from mini_agent import McpInvoker
from mini_agent.mcp.client.server import McpAddress
from mini_agent.messages import function_call
from mini_agent.tools.outputs import parse_output
from tests.tools.conftest import free_port, until_it_listens

PROGRAM = """
import sys
from mcp.server.mcpserver import MCPServer
server = MCPServer("old")
@server.tool()
def add(a: int, b: int) -> str:
    return str(a + b)
server.run("sse", port=int(sys.argv[1]))
"""


@pytest.fixture
def address() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM, str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as child:
        until_it_listens(port)
        yield f"http://127.0.0.1:{port}/sse"
        child.kill()


@pytest.mark.parametrize("transport", ["auto", "sse"])
async def test_a_server_with_the_older_sse_works(address: str, transport: str) -> None:
    server = McpAddress(address, transport="sse" if transport == "sse" else "auto")
    async with McpInvoker(server, startup_timeout=15) as tools:
        assert len(await tools.list_openai_tools()) == 1
        said = await tools.call_openai_tool(function_call("1", "add", {"a": 40, "b": 2}))
    assert parse_output(said).stdout.startswith("42")

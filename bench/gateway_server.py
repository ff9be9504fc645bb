"""The MCP server that `bench.gateway` calls: it answers after a given time, and notes each call."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("counted")


def note(line: str) -> None:
    """One line in the file that the measurement reads."""
    with Path(os.environ["BENCH_NOTES"]).open("a") as notes:
        notes.write(f"{line}\n")


@server.tool()
async def take(key: str, seconds: float = 0) -> str:
    """Gives the key back after so many seconds."""
    note(f"call {key}")
    await asyncio.sleep(seconds)
    return key


@server.tool()
async def answer(key: str) -> str:
    """Gives the key back at once, and notes nothing."""
    return key


if __name__ == "__main__":
    note(f"server {sys.argv[1]} {os.getpid()}")
    server.run()

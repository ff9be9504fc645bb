"""Serves an MCP server on stdin and stdout until its client disconnects or a signal stops it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

STOPPED_EXIT_CODE: Final = 128 + signal.SIGTERM
TTY_NOTICE: Final = (
    "this speaks MCP on stdin and stdout, for a client that starts it (docs/mcp.md says how); "
    "Ctrl-C ends it"
)


async def serve_stdio(server: Server, aclose: Callable[[], Awaitable[None]]) -> None:
    """Serve one client; `aclose` is called at the end, also after a signal."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if sys.stdin.isatty():
        sys.stderr.write(f"{server.name}: {TTY_NOTICE}\n")
    serving = asyncio.create_task(_serve(server))
    stopping = asyncio.create_task(_wait_for_signal())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await aclose()
    if not serving.done():
        # The thread that reads the client's next line cannot be woken.
        os._exit(STOPPED_EXIT_CODE)
    stopping.cancel()
    serving.result()


async def _serve(server: Server) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def _wait_for_signal() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()

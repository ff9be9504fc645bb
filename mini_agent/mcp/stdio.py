"""An MCP server on stdin and stdout, until its client is gone or it is told to stop."""

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
    """Serves the one client; `aclose` ends what the server has begun, also when it is stopped."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    if sys.stdin.isatty():
        sys.stderr.write(f"{server.name}: {TTY_NOTICE}\n")
    serving = asyncio.create_task(_serve(server))
    stopping = asyncio.create_task(_wait_for_signal())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    await aclose()
    if not serving.done():
        # The thread that waits for the client's next line cannot be woken.
        os._exit(STOPPED_EXIT_CODE)
    stopping.cancel()
    serving.result()


async def _serve(server: Server) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


async def _wait_for_signal() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()

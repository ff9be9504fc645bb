"""The web server: drains on the first signal to stop, and kills what runs on the second."""

from __future__ import annotations

import asyncio
import gc
import socket
from types import FrameType
from typing import Final

import uvicorn
from fastapi import FastAPI

from codex_sidecar.pool.lifecycle import Drain
from mini_agent_protocol.asgi.head_timeout_httptools import HttpToolsHeadTimeoutProtocol

# For answers that are being sent when nothing runs any more.
SHUTDOWN_TIMEOUT_S: Final = 2
# Long enough that a client keeps its connection between the turns of a model.
KEEP_ALIVE_S: Final = 75


class SidecarServer(uvicorn.Server):
    """Keeps answering while it drains, so that callers learn why they are refused."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                loop="uvloop",
                http=HttpToolsHeadTimeoutProtocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
            )
        )
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Task[None] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until stopped."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        # What exists by now stays; scanning it for garbage would delay requests.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Schedule the drain; runs inside a signal handler."""
        if self._loop is None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        drain: Drain | None = getattr(self._app.state, "drain", None)
        if drain is None:
            # Not started yet, so nothing has to be drained.
            self.should_exit = True
        elif self._stopping is None:
            self._stopping = asyncio.create_task(self._drain(drain))
        else:
            drain.force()

    async def _drain(self, drain: Drain) -> None:
        try:
            await drain.run()
        finally:
            self.should_exit = True

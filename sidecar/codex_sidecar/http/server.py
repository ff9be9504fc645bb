"""The web server, which drains on the first signal to stop, and makes haste on the second."""

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

# For answers that are on their way when nothing runs any more.
SHUTDOWN_TIMEOUT_S: Final = 2
# A client that keeps its connection between the turns of a model does not have to make a new one.
KEEP_ALIVE_S: Final = 75


class SidecarServer(uvicorn.Server):
    """Goes on answering while it drains, so that whoever asks is told why nothing is taken in."""

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
        """Serves until told to stop."""
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to serve."""
        await super().startup(sockets)
        # What is there by now stays: to look through it for garbage would hold up some request.
        gc.collect()
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Is called in the middle of whatever runs, so it only leaves word."""
        if self._loop is None:
            super().handle_exit(sig, frame)
        else:
            self._loop.call_soon_threadsafe(self._stop)

    def _stop(self) -> None:
        drain: Drain | None = getattr(self._app.state, "drain", None)
        if drain is None:
            # Not yet started, so there is nothing to finish.
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

"""An ASGI app on a real port of loopback while a block runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from starlette.types import ASGIApp

START_TIMEOUT_S = 100.0


@contextmanager
def serve_app(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """The address of `app`, served by uvicorn in a thread."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server)}"
    finally:
        server.should_exit = True
        thread.join(10)


def until_healthy(client: httpx.Client) -> None:
    """Waits for a service that is starting as a process of its own."""
    until = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            client.get("/healthz")
        except httpx.ConnectError:
            assert time.monotonic() < until, "the service does not start"
            time.sleep(0.1)
        else:
            return


def _port(server: uvicorn.Server) -> int:
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port

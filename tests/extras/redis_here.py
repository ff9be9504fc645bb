"""A Redis server of a test's own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from tests.ollama.command import ROOT


def program() -> str:
    """Debian's server, installed where that is possible; else a named skip, which CI has not."""
    found = subprocess.run(
        [ROOT / "scripts" / "redis"], capture_output=True, text=True, check=False, timeout=300
    )
    if found.returncode == 0:
        return found.stdout.strip()
    if os.environ.get("CI") == "true":
        pytest.fail(found.stderr)
    pytest.skip(found.stderr)


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The server's URL while the block runs; it keeps nothing."""
    port = _free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    # By its first word the program knows what it is.
    with subprocess.Popen(
        ["redis-server", *options], executable=program(), stdout=subprocess.DEVNULL
    ) as server:
        url = f"redis://127.0.0.1:{port}/0"
        try:
            _wait_for(url)
            yield url
        finally:
            server.terminate()


def _wait_for(url: str) -> None:
    until = time.monotonic() + 30
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < until, "the Redis server did not start"
                time.sleep(0.02)
            else:
                return


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port

"""A client that writes whatever it likes into a connection."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """A connection to the service."""
    there = urlsplit(url)
    with socket.create_connection((there.hostname or "", there.port or 0), timeout=40) as line:
        yield line


def head(method: str, path: str, *fields: str) -> bytes:
    """The head of a request, with these fields beside Host."""
    lines = (f"{method} {path} HTTP/1.1", "Host: localhost", *fields, "", "")
    return "\r\n".join(lines).encode("latin-1")


def heard(line: socket.socket) -> bytes:
    """All that comes until the other side ends it."""
    said = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := line.recv(65_536):
            said += piece
    return bytes(said)


def status_of(said: bytes) -> int:
    """The status of the first answer; 0 where there was none."""
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0

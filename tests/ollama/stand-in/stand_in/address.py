"""OLLAMA_HOST, as the real command reads it: `host`, `host:port`, `http://host:port`."""

from __future__ import annotations

from urllib.parse import urlsplit

PORT = 11434


def listening_address(written: str) -> tuple[str, int]:
    """Host and port to listen on."""
    split = urlsplit(written if "://" in written else f"http://{written or '127.0.0.1'}")
    return split.hostname or "127.0.0.1", PORT if split.port is None else split.port


def client_url(written: str) -> str:
    """The server's URL; a server that listens everywhere is reached on loopback."""
    host, port = listening_address(written)
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"

"""Where Ollama is: its own ways of writing an address, and those of its users, as one URL."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from mini_agent.errors import NotConfigured

PORT: Final = 11434
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
EVERY_INTERFACE: Final = ("0.0.0.0", "::")
# What is copied along with an address; LiteLLM adds its own.
ITS_APIS: Final = ("/v1", "/api", "/api/chat", "/api/generate")


def ollama_url(address: str, name: str = "OLLAMA_HOST") -> str:
    """`[scheme://][host][:port][/path]`, which may mean "every interface", as a URL.

    Raises `NotConfigured` for what is no address; `name` is where it was written.
    """
    scheme, _, rest = address.strip(" \t\n'\"").rpartition("://")
    at, slash, path = rest.partition("/")
    try:
        parts = urlsplit(f"{scheme or 'http'}://{_bracketed(at)}")
        port = parts.port or DEFAULT_PORTS.get(scheme.lower(), PORT)
    except ValueError:
        raise _no_address(address, name) from None
    if parts.scheme not in DEFAULT_PORTS or parts.username is not None:
        raise _no_address(address, name)
    host = parts.hostname or "127.0.0.1"
    host = "127.0.0.1" if host in EVERY_INTERFACE else host
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port}{_path(slash + path)}"


def _bracketed(at: str) -> str:
    """An IPv6 address may come without its brackets, if no port follows."""
    try:
        return f"[{ipaddress.IPv6Address(at)}]"
    except ValueError:
        return at


def _path(given: str) -> str:
    path = given.rstrip("/")
    api = next((api for api in sorted(ITS_APIS, key=len)[::-1] if path.endswith(api)), "")
    return path.removesuffix(api).rstrip("/")


def _no_address(address: str, name: str) -> NotConfigured:
    return NotConfigured(
        f"{name}={address!r:.200} is no address of Ollama",
        hint="write it as host:port, or http://host:port",
    )

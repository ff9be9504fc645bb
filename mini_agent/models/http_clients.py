"""Keeps the connections to model servers, one client for each event loop and address."""

from __future__ import annotations

import asyncio
import ipaddress
import weakref
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

CONNECT_TIMEOUT_S: Final = 10.0
Clients = dict[str, "httpx.AsyncClient"]
_clients: Final[weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Clients]] = (
    weakref.WeakKeyDictionary()
)


def get_client(address: str) -> httpx.AsyncClient:
    """Return the running loop's client for the server at `address`."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    if origin not in clients:
        clients[origin] = _create_client(parts.scheme, parts.hostname or "")
    return clients[origin]


async def close_clients() -> None:
    """Close the connections of the running loop; called before the loop closes."""
    for client in _clients.pop(asyncio.get_running_loop(), {}).values():
        await client.aclose()


def is_local_host(host: str) -> bool:
    """Tell whether `host` is this machine, or one of a private network by its address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or "." not in host
    return address.is_loopback or address.is_private


def _create_client(scheme: str, host: str) -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=None),
        # A proxy of the environment is for other machines.
        trust_env=not is_local_host(host),
        # Reading the certificates takes longer than a call.
        verify=httpx.create_ssl_context() if scheme == "https" else False,
    )

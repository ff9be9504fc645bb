"""HTTP transport that connects only to public addresses over HTTPS, redirects included (SSRF)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

# Where IPv6's public addresses are; those that stand for an IPv4 address are not among them.
PUBLIC_IPV6: Final = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class NonPublicAddress(Exception):
    """A hop that is not taken; says why."""


async def resolve_host(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PublicOnlyTransport(httpx.AsyncBaseTransport):
    """Takes requests by https to hosts all of whose addresses are public, and goes to that address.

    # INVARIANT: the address that was checked is the one connected to; the name is not looked up
    again. The certificate is still held to the name.
    """

    def __init__(self, resolve: Resolver, inner: httpx.AsyncBaseTransport) -> None:
        self._resolve = resolve
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One hop."""
        url = request.url
        if url.scheme != "https":
            raise NonPublicAddress(f"{url} is not https")
        address = await self._public_address(url.host, url.port or 443)
        hop = httpx.Request(
            request.method,
            url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return await self._inner.handle_async_request(hop)

    async def _public_address(self, host: str, port: int) -> str:
        try:
            addresses = await self._resolve(host, port)
        except OSError:
            raise NonPublicAddress(f"there is no host {host}") from None
        private = [each for each in addresses if not _is_public(ip_address(each.split("%")[0]))]
        if private or not addresses:
            raise NonPublicAddress(f"{host} is not a public address")
        return addresses[0]

    async def aclose(self) -> None:
        """Closes what it goes through."""
        await self._inner.aclose()


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global:
        return False
    if isinstance(address, IPv4Address):
        return True
    embeds = address.sixtofour or address.teredo or address.ipv4_mapped
    return address in PUBLIC_IPV6 and not embeds

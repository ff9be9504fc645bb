"""A picture fetched by https, from public addresses alone, whatever names and redirects say."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import urlsplit

import httpx

from mini_agent.errors import BadRequest
from mini_agent.images.files import too_large
from mini_agent.images.limits import ImageLimits

REDIRECTS: Final = 3
# Where IPv6's public addresses are; those that stand for an IPv4 address are not among them.
PUBLIC_IPV6: Final = IPv6Network("2000::/3")

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class _Refused(Exception):
    """A hop that is not taken; says why."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as this machine knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PublicOnly(httpx.AsyncBaseTransport):
    """Takes requests by https to hosts all of whose addresses are public, and goes to that address.

    # INVARIANT: the address that was checked is the one connected to; the name is not looked up
    again. The certificate is still held to the name.
    """

    def __init__(self, resolve: Resolve, inner: httpx.AsyncBaseTransport) -> None:
        self._resolve = resolve
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One hop."""
        url = request.url
        if url.scheme != "https":
            raise _Refused(f"{url} is not https")
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
            raise _Refused(f"there is no host {host}") from None
        private = [each for each in addresses if not _is_public(ip_address(each.split("%")[0]))]
        if private or not addresses:
            raise _Refused(f"{host} is not a public address")
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


@dataclass(frozen=True, slots=True)
class Download:
    """Fetches pictures; `resolve` looks names up, `connection` makes what requests go through."""

    resolve: Resolve = resolved
    connection: Callable[[], httpx.AsyncBaseTransport] = field(default=httpx.AsyncHTTPTransport)

    async def content(self, url: str, limits: ImageLimits) -> bytes:
        """The bytes at `url`; raises `BadRequest` when they cannot be had."""
        if "@" in urlsplit(url).netloc:
            raise BadRequest("a picture's URL must not hold a user name or password")
        try:
            async with asyncio.timeout(limits.fetch_s), self._client() as client:
                return await self._fetched(client, url, limits)
        except TimeoutError:
            raise _not_had(url, f"it took longer than {limits.fetch_s:g} s") from None
        except _Refused as refused:
            raise BadRequest(
                f"the picture {url} is not fetched: {refused}",
                hint="pictures are fetched by https from public addresses; save it as a file",
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as broken:
            raise _not_had(url, str(broken) or type(broken).__name__) from None

    def _client(self) -> httpx.AsyncClient:
        # Without the environment's proxy: it would look the name up by itself.
        return httpx.AsyncClient(
            transport=PublicOnly(self.resolve, self.connection()),
            follow_redirects=True,
            max_redirects=REDIRECTS,
            trust_env=False,
            headers={"Accept": "image/*", "Accept-Encoding": "identity"},
        )

    async def _fetched(self, client: httpx.AsyncClient, url: str, limits: ImageLimits) -> bytes:
        async with client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise _not_had(url, f"HTTP {answer.status_code}")
            content = bytearray()
            async for piece in answer.aiter_raw():
                content += piece
                if len(content) > limits.bytes:
                    raise too_large(url, limits)
        return bytes(content)


def _not_had(url: str, why: str) -> BadRequest:
    return BadRequest(f"the picture {url} cannot be fetched: {why}", hint="save it as a file")

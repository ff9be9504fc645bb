"""Downloads images by https, from public addresses alone, whatever names and redirects say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from mini_agent.agent.images.sources import ImageLimits, too_large_error
from mini_agent.errors import BadRequest
from mini_agent.net.public import (
    NonPublicAddress,
    PublicOnlyTransport,
    Resolver,
    resolve_host,
)

MAX_REDIRECTS: Final = 3


@dataclass(frozen=True, slots=True)
class ImageDownloader:
    """Downloads images; `resolve` looks names up, `connection` creates the transport."""

    resolve: Resolver = resolve_host
    connection: Callable[[], httpx.AsyncBaseTransport] = field(default=httpx.AsyncHTTPTransport)

    async def fetch(self, url: str, limits: ImageLimits) -> bytes:
        """Returns the bytes at `url`; raises `BadRequest` when they cannot be fetched."""
        if "@" in urlsplit(url).netloc:
            raise BadRequest("a picture's URL must not hold a user name or password")
        try:
            async with asyncio.timeout(limits.fetch_s), self._client() as client:
                return await self._fetch(client, url, limits)
        except TimeoutError:
            raise _download_failed(url, f"it took longer than {limits.fetch_s:g} s") from None
        except NonPublicAddress as refused:
            raise BadRequest(
                f"the picture {url} is not fetched: {refused}",
                hint="pictures are fetched by https from public addresses; save it as a file",
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as broken:
            raise _download_failed(url, str(broken) or type(broken).__name__) from None

    def _client(self) -> httpx.AsyncClient:
        # Not through the environment's proxy, which would resolve the name itself.
        return httpx.AsyncClient(
            transport=PublicOnlyTransport(self.resolve, self.connection()),
            follow_redirects=True,
            max_redirects=MAX_REDIRECTS,
            trust_env=False,
            headers={"Accept": "image/*", "Accept-Encoding": "identity"},
        )

    async def _fetch(self, client: httpx.AsyncClient, url: str, limits: ImageLimits) -> bytes:
        async with client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise _download_failed(url, f"HTTP {answer.status_code}")
            content = bytearray()
            async for piece in answer.aiter_raw():
                content += piece
                if len(content) > limits.bytes:
                    raise too_large_error(url, limits)
        return bytes(content)


def _download_failed(url: str, why: str) -> BadRequest:
    return BadRequest(f"the picture {url} cannot be fetched: {why}", hint="save it as a file")

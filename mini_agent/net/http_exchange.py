"""HTTP client of one server: responses of bounded size, and no redirect to another server."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

import httpx
from pydantic import JsonValue

from mini_agent.errors import BadRequest, ToolsUnavailable
from mini_agent.net.backoff import parse_retry_after_header

MAX_BYTES: Final = 8 << 20
MAX_REDIRECTS: Final = 3
CONNECT_TIMEOUT_S: Final = 5.0
NOT_SENT_ERRORS: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)


class NoResponse(ToolsUnavailable):
    """The server cannot be reached, or the connection broke before its response was complete."""


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request: its method, its path below the server's address, and what is sent with it."""

    method: str
    path: str
    json: JsonValue = None
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response: its status, its whole body, and the seconds of its `Retry-After`."""

    status: int
    content: bytes
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        """Tell whether the status is one of success."""
        return httpx.codes.is_success(self.status)

    @property
    def text(self) -> str:
        """Return the body as text."""
        return self.content.decode("utf-8", "replace")


class HttpExchange:
    """Exchanges with the server at `base_url`; `field` is what the caller names that address.

    As a context manager it keeps its connections until the block is left, in that event loop;
    else each request has its own. Raise `BadRequest` for an invalid address or header.
    """

    def __init__(self, base_url: str, headers: Mapping[str, str], field: str) -> None:
        self._base = _parse_address(base_url, field)
        self._headers = _check_headers(headers)
        self._persistent: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._persistent = self._new_client()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        persistent, self._persistent = self._persistent, None
        if persistent is not None:
            await persistent.aclose()

    @cached_property
    def address(self) -> str:
        """Return the server's address as it may be shown, without a password in it."""
        return str(self._base.copy_with(userinfo=b""))

    async def send(self, request: HttpRequest) -> HttpResponse:
        """Return the response, whatever its status; raise `NoResponse` where there is none."""
        try:
            async with self._open_client() as client:
                return await self._send(client, request)
        except NOT_SENT_ERRORS as away:
            raise NoResponse(
                f"nothing answers at {self.address}: {away}", hint="is it running?"
            ) from away
        except (httpx.HTTPError, httpx.StreamError) as broken:
            what = str(broken) or type(broken).__name__
            raise NoResponse(
                f"the connection to {self.address} broke: {what}",
                hint="whether the call was carried out there is not known",
            ) from broken

    @asynccontextmanager
    async def _open_client(self) -> AsyncIterator[httpx.AsyncClient]:
        if self._persistent is not None:
            yield self._persistent
        else:
            async with self._new_client() as client:
                yield client

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers=self._headers,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
            trust_env=not _is_loopback(self._base),
            verify=self._ssl_context,
        )

    @cached_property
    def _ssl_context(self) -> bool | ssl.SSLContext:
        # Reading the certificates takes longer than a call, so it is done once, and only for TLS.
        return httpx.create_ssl_context() if self._base.scheme == "https" else False

    async def _send(self, client: httpx.AsyncClient, request: HttpRequest) -> HttpResponse:
        path = quote(f"{self._base.path.rstrip('/')}{request.path}")
        url = self._base.copy_with(path=path)
        query = httpx.QueryParams(request.query) if request.query else None
        pending = client.build_request(
            request.method, url, json=request.json, params=query, headers=dict(request.headers)
        )
        for _ in range(MAX_REDIRECTS + 1):
            response = await client.send(pending, stream=True)
            try:
                following = self._next_request(response)
                if following is None:
                    return await self._read(response)
            finally:
                await response.aclose()
            pending = following
        raise ToolsUnavailable(f"{self.address} redirects more than {MAX_REDIRECTS} times")

    def _next_request(self, response: httpx.Response) -> httpx.Request | None:
        following = response.next_request
        if following is None:
            return None
        is_same = _origin(following.url) == _origin(response.url)
        if is_same and following.method == response.request.method:
            return following
        elsewhere = following.url.copy_with(userinfo=b"", query=None)
        raise ToolsUnavailable(
            f"{self.address} redirects to {elsewhere}, which is not followed",
            hint="if that is the server that is meant, give its address",
        )

    async def _read(self, response: httpx.Response) -> HttpResponse:
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MAX_BYTES:
                raise ToolsUnavailable(
                    f"the answer of {self.address} is longer than {MAX_BYTES >> 20} MiB and was "
                    "not read to its end",
                    hint="ask for less at a time",
                )
        retry_after = response.headers.get("retry-after")
        return HttpResponse(
            response.status_code,
            bytes(content),
            parse_retry_after_header(retry_after) if retry_after is not None else None,
        )


def _parse_address(base_url: str, field: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise BadRequest(
            f"{field} must be an address such as http://127.0.0.1:8787, not {base_url!r:.100}",
            field=field,
        )
    return url.copy_with(query=None, fragment=None)


def _check_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        is_text = isinstance(name, str) and isinstance(value, str)
        if not (is_text and f"{name}{value}".isascii() and f"{name}{value}".isprintable()):
            # The value is not shown: mostly it is a secret.
            raise BadRequest(f"the header {name!r:.60} is not one line of ASCII", field="headers")
    return dict(headers)


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _is_loopback(url: httpx.URL) -> bool:
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost"

"""The HTTP client of an MCP server: what a refusal means, proxies, and lone surrogates."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from mcp.types import CONNECTION_CLOSED, INTERNAL_ERROR, METHOD_NOT_FOUND

from mini_agent.mcp.client.refusals import REFUSED_KEY, Refusal, explain_status, says_session_lost
from mini_agent.messages import replace_surrogate_escapes

CONNECT_TIMEOUT_S: Final = 10.0
SESSION_HEADER: Final = "mcp-session-id"
JSON_TYPE: Final = "application/json"
STREAM_TYPE: Final = "text/event-stream"
MAX_ERROR_CHARS: Final = 300
FIRST_ERROR: Final = 400
NOT_FOUND: Final = 404
AUTHORIZATION: Final = "authorization"
# Their JSON-RPC bodies say less than the status does.
EXPLAINED: Final = frozenset({401, 403, 407, 429})


class McpHttpClient(httpx2.AsyncClient):
    """Answers each POST: a refusal, or an exchange that broke, becomes a JSON-RPC error.

    The SDK would end the whole session, with the calls of others, for an exception. `refusal`
    is the last one.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        on_refusal: Callable[[], None] = lambda: None,
    ) -> None:
        # The read timeout is set for each call. Compressed answers cannot be corrected on the way.
        super().__init__(
            headers={"accept-encoding": "identity", **headers},
            timeout=httpx2.Timeout(CONNECT_TIMEOUT_S, read=None),
            mounts={f"all://{_host(url)}": None} if is_loopback(url) else None,
        )
        self.refusal, self.refusal_status, self._on_refusal = "", 0, on_refusal
        self._proxy = "" if is_loopback(url) else describe_proxy(url)

    async def send(
        self,
        request: httpx2.Request,
        **options: Any,  # noqa: ANN401  those of httpx2, which are passed on
    ) -> httpx2.Response:
        """Send a request; of a POST every failure is a response."""
        if request.method != "POST":
            return await super().send(request, **options)
        try:
            response = await super().send(request, **options)
            return await self._clean(request, response)
        except httpx2.TransportError as broken:
            return self._refuse(request, self._explain_broken(broken))

    async def _clean(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        kind = response.headers.get("content-type", "").lower()
        if response.status_code >= FIRST_ERROR:
            return await self._read_refusal(request, response)
        if kind.startswith(STREAM_TYPE):
            response.stream = _CleanStream(response)
        elif kind.startswith(JSON_TYPE) and response.is_success:
            content = await response.aread()
            return _copy_response(response, replace_surrogate_escapes(content))
        return response

    async def _read_refusal(
        self, request: httpx2.Request, response: httpx2.Response
    ) -> httpx2.Response:
        content = await response.aread()
        self.refusal_status = response.status_code
        error = read_error(content)
        has_session = SESSION_HEADER in request.headers
        text = str(error.get("message", "")) if error else content.decode("utf-8", "replace")
        is_lost = has_session and (
            says_session_lost(response.status_code, text)
            or (response.status_code == NOT_FOUND and error.get("code") != METHOD_NOT_FOUND)
        )
        if is_lost:
            return self._refuse(request, Refusal("it has forgotten this session", is_lost=True))
        if error and response.status_code not in EXPLAINED:
            self.refusal = text
            return _copy_response(response, replace_surrogate_escapes(content))
        sent_token = AUTHORIZATION in request.headers
        why = explain_status(response.status_code, response.headers, text, sent_token=sent_token)
        return self._refuse(request, Refusal(why + self._proxy, status=response.status_code))

    def _explain_broken(self, broken: httpx2.TransportError) -> Refusal:
        what = f"{broken!s:.{MAX_ERROR_CHARS}}" or type(broken).__name__
        never_sent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
        if isinstance(broken, never_sent):
            return Refusal(f"it cannot be reached{self._proxy}: {what}", is_lost=True)
        why = f"it broke off, and whether the call was carried out is not known: {what}"
        return Refusal(why + self._proxy, code=CONNECTION_CLOSED)

    def _refuse(self, request: httpx2.Request, refusal: Refusal) -> httpx2.Response:
        """Return the refusal as the JSON-RPC error that the SDK reads."""
        self.refusal = refusal.why
        self._on_refusal()
        marks = {REFUSED_KEY: {"lost": refusal.is_lost, "status": refusal.status}}
        error = {"code": refusal.code or INTERNAL_ERROR, "message": refusal.why, "data": marks}
        body = {"jsonrpc": "2.0", "id": 0, "error": error}
        return httpx2.Response(400, json=body, request=request)


class _CleanStream(httpx2.AsyncByteStream):
    """A stream of events, with the lone surrogates of each line replaced."""

    def __init__(self, response: httpx2.Response) -> None:
        self._inner = response.stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not isinstance(self._inner, httpx2.AsyncByteStream):
            return
        kept = b""
        async for chunk in self._inner:
            lines, end, kept = (kept + chunk).rpartition(b"\n")
            if end:
                yield replace_surrogate_escapes(lines + end)
        if kept:
            yield replace_surrogate_escapes(kept)

    async def aclose(self) -> None:
        """Close the stream."""
        if isinstance(self._inner, httpx2.AsyncByteStream):
            await self._inner.aclose()


def read_error(content: bytes) -> dict[str, object]:
    """Return the error of a JSON-RPC error; empty for anything else."""
    try:
        read = json.loads(content)
    except ValueError:
        return {}
    error = read.get("error") if isinstance(read, dict) and "jsonrpc" in read else None
    is_error = isinstance(error, dict) and isinstance(error.get("code"), int)
    return error if is_error and isinstance(error, dict) else {}


def is_loopback(url: str) -> bool:
    """Tell whether a URL is of this machine, which no proxy stands before."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return f"[{host}]" if ":" in host else host


def describe_proxy(url: str) -> str:
    """Name the proxy of the environment that a request to `url` takes; empty for none."""
    parts, proxies = urlsplit(url), getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(parts.hostname or ""):
        return ""
    named = re.sub(r"//[^/@]*@", "//", proxy if "//" in proxy else f"http://{proxy}")
    return f" (through the proxy {named}; NO_PROXY names hosts that need none)"


def _copy_response(response: httpx2.Response, content: bytes) -> httpx2.Response:
    headers = {
        name: value
        for name, value in response.headers.items()
        if name not in ("content-length", "transfer-encoding", "content-encoding")
    }
    return httpx2.Response(
        response.status_code, headers=headers, content=content, request=response.request
    )

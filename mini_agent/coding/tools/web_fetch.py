"""Pages of the public web, as Markdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from mini_agent.coding.tools.text_file import text_in
from mini_agent.net.public import (
    NotPublic,
    PublicOnly,
    Resolve,
    resolved,
)
from mini_agent.tools.arguments import NotRun

SECONDS: Final = 20.0
LARGEST: Final = 5 << 20
LARGEST_HTML: Final = 2 << 20
HOPS: Final = 5
ACCEPTED: Final = "text/markdown, text/html, text/*;q=0.9"
HTML: Final = ("text/html", "application/xhtml+xml")
TEXT: Final = ("text/", "application/json", "application/xml", "application/javascript")
AS_TEXT: Final = ("+json", "+xml")


@dataclass(frozen=True, slots=True)
class PublicPages:
    """Fetches pages by https from public addresses; `resolve` looks names up."""

    resolve: Resolve = resolved
    connection: Callable[[], httpx.AsyncBaseTransport] = field(default=httpx.AsyncHTTPTransport)

    async def page(self, url: str) -> str:
        """What stands there; `NotRun` says why it cannot be had."""
        here = _https(url)
        try:
            async with asyncio.timeout(SECONDS), self._client() as client:
                for _ in range(HOPS):
                    answer = await _fetched(client, here)
                    if not isinstance(answer, httpx.URL):
                        return await asyncio.to_thread(_text, answer, here)
                    here = _same_host(here, answer)
        except TimeoutError:
            raise NotRun(f"Error: {here} took longer than {SECONDS:g} s.") from None
        except NotPublic as refused:
            raise NotRun(f"Error: {here} is not fetched: {refused}.") from None
        except httpx.HTTPError as broken:
            raise NotRun(f"Error: {here}: {str(broken) or type(broken).__name__}") from None
        raise NotRun(f"Error: {url} redirects more than {HOPS} times.")

    def _client(self) -> httpx.AsyncClient:
        # Without the environment's proxy: it would look the name up by itself.
        return httpx.AsyncClient(
            transport=PublicOnly(self.resolve, self.connection()),
            trust_env=False,
            headers={"Accept": ACCEPTED, "User-Agent": "mini-agent"},
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    kind: str
    content: bytes


async def _fetched(client: httpx.AsyncClient, url: httpx.URL) -> _Answer | httpx.URL:
    """What is there, or where it is instead."""
    async with client.stream("GET", url) as answer:
        if answer.has_redirect_location:
            return url.join(answer.headers["location"])
        if answer.status_code != httpx.codes.OK:
            raise NotRun(f"Error: {url}: HTTP {answer.status_code} {answer.reason_phrase}")
        content = bytearray()
        async for piece in answer.aiter_bytes():
            content += piece
            if len(content) > LARGEST:
                raise NotRun(f"Error: {url} has more than {LARGEST >> 20} MB.")
        kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
        return _Answer(kind, bytes(content))


def _https(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise NotRun("Error: invalid url.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise NotRun("Error: invalid url.")
    if parsed.userinfo:
        raise NotRun("Error: the url must not hold a user name or password.")
    return _secure(parsed)


def _secure(url: httpx.URL) -> httpx.URL:
    return url.copy_with(scheme="https") if url.scheme == "http" else url


def _same_host(here: httpx.URL, there: httpx.URL) -> httpx.URL:
    """Where to go on; a rule that allows one host must not lead to another."""
    there = _secure(there)
    if there.host != here.host or there.scheme != "https" or there.userinfo:
        raise NotRun(
            f"Error: {here} redirects to {there}. Call WebFetch with that, if it is right."
        )
    return there


def _text(answer: _Answer, url: httpx.URL) -> str:
    if answer.kind in HTML:
        from mini_agent.coding.tools.markdown import markdown_of

        return markdown_of(text_in(answer.content[:LARGEST_HTML], Path(url.path)).shown)
    if answer.kind.startswith(TEXT) or answer.kind.endswith(AS_TEXT):
        return text_in(answer.content, Path(url.path)).shown
    raise NotRun(f"Error: {url} is {answer.kind}, no text.")

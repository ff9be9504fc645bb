"""Fetches pages of the public web and converts HTML to Markdown. Slow to import."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from bs4 import BeautifulSoup
from bs4.element import Declaration, NavigableString, ProcessingInstruction, Tag
from markdownify import ATX, MarkdownConverter

from mini_agent.coding.tools.text_file import decode_text
from mini_agent.net.public import (
    NonPublicAddress,
    PublicOnlyTransport,
    Resolver,
    resolve_host,
)
from mini_agent.tools.arguments import RejectedCall

SKIPPED_TAGS: Final = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "object"}
)
INDENTING_TAGS: Final = frozenset({"blockquote", "dd", "li"})
MAX_DEPTH: Final = 100
MAX_INDENTED_DEPTH: Final = 12
MAX_COLSPAN: Final = 20
CODE_OR_BLANK_LINES: Final = re.compile(
    r"(^[ >]*```\n.*?\n[ >]*```$)|\n(?:[ \t]*\n)+", re.DOTALL | re.MULTILINE
)
TIMEOUT_S: Final = 20.0
MAX_BYTES: Final = 5 << 20
MAX_HTML_BYTES: Final = 2 << 20
MAX_REDIRECTS: Final = 5
ACCEPT_HEADER: Final = "text/markdown, text/html, text/*;q=0.9"
HTML_TYPES: Final = ("text/html", "application/xhtml+xml")
TEXT_TYPES: Final = ("text/", "application/json", "application/xml", "application/javascript")
TEXT_SUFFIXES: Final = ("+json", "+xml")


def convert_to_markdown(html: str) -> str:
    """Return a page as Markdown: headings, lists, quotes, tables, links and code."""
    # With a root element, Beautiful Soup does not warn of texts that look like paths or XML.
    page = _Soup(f"<html>{html}", "lxml")
    text = _PageConverter().convert_soup(page)
    return CODE_OR_BLANK_LINES.sub(lambda found: found[1] or "\n\n", text).strip() + "\n"


@dataclass(frozen=True, slots=True)
class PublicPageFetcher:
    """Fetches pages by https from public addresses; `resolve` looks names up."""

    resolve: Resolver = resolve_host
    connection: Callable[[], httpx.AsyncBaseTransport] = field(default=httpx.AsyncHTTPTransport)

    async def fetch(self, url: str) -> str:
        """Return the page as Markdown; raise `RejectedCall` with the reason if it cannot be had."""
        address = _parse_url(url)
        try:
            async with asyncio.timeout(TIMEOUT_S), self._client() as client:
                for _ in range(MAX_REDIRECTS):
                    response = await _fetch(client, address)
                    if not isinstance(response, httpx.URL):
                        return await asyncio.to_thread(_body_text, response, address)
                    address = _same_host(address, response)
        except TimeoutError:
            raise RejectedCall(f"Error: {address} took longer than {TIMEOUT_S:g} s.") from None
        except NonPublicAddress as error:
            raise RejectedCall(f"Error: {address} is not fetched: {error}.") from None
        except httpx.HTTPError as error:
            raise RejectedCall(f"Error: {address}: {str(error) or type(error).__name__}") from None
        raise RejectedCall(f"Error: {url} redirects more than {MAX_REDIRECTS} times.")

    def _client(self) -> httpx.AsyncClient:
        # Without the environment's proxy, which would resolve the name itself.
        return httpx.AsyncClient(
            transport=PublicOnlyTransport(self.resolve, self.connection()),
            trust_env=False,
            headers={"Accept": ACCEPT_HEADER, "User-Agent": "mini-agent"},
        )


class _Soup(BeautifulSoup):
    def pushTag(self, tag: Tag) -> None:  # noqa: N802  the library's name
        """Flatten what is nested too deeply."""
        if len(self.tagStack) < MAX_DEPTH + (tag.name in SKIPPED_TAGS) and not self._is_indented(
            tag
        ):
            super().pushTag(tag)

    def _is_indented(self, tag: Tag) -> bool:
        outer = self.tagStack if tag.name in INDENTING_TAGS else ()
        return sum(each.name in INDENTING_TAGS for each in outer) >= MAX_INDENTED_DEPTH


# INVARIANT: no method visits all siblings, so that any page of 2 MB takes seconds. The methods for
# items, rows and tables replace those of the library, which do.
class _PageConverter(MarkdownConverter):
    def __init__(self) -> None:
        super().__init__(
            heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False
        )
        self._items: Counter[int] = Counter()

    def process_element(self, node: NavigableString | Tag, parent_tags: set[str]) -> str:
        if isinstance(node, Declaration | ProcessingInstruction):
            return ""
        # markdownify's stub lists only its public methods.
        return str(super().process_element(node, parent_tags))  # type: ignore[misc]

    def process_tag(self, node: Tag, parent_tags: set[str]) -> str:
        if node.name in SKIPPED_TAGS:
            return ""
        return str(super().process_tag(node, parent_tags))  # type: ignore[misc]

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"![{el.get('alt') or ''}]"

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        mark = self._item_marker(el)
        indented = text.strip().replace("\n", "\n" + " " * len(mark))
        return f"{mark}{indented}\n"

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        inside = " ".join(text.split()).replace("|", "\\|")
        return f" {inside} |" + " |" * (_colspan(el) - 1)

    convert_th = convert_td

    def convert_tr(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"|{text}\n" if text.strip() else ""

    def convert_table(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        before, bar, rows = text.strip().partition("|")
        first, _, others = rows.partition("\n")
        if not bar:
            return f"\n\n{before}\n\n"
        columns = first.count("|") - first.count("\\|")
        return f"\n\n{before}|{first}\n|{' --- |' * columns}\n{others}\n\n"

    def convert_block(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f" {text.strip()} " if "_inline" in parent_tags else f"\n\n{text.strip()}\n\n"

    convert_aside = convert_figure = convert_footer = convert_form = convert_block
    convert_header = convert_main = convert_nav = convert_title = convert_block

    def _item_marker(self, item: Tag) -> str:
        listed = item.parent
        if listed is None or listed.name != "ol":
            return "- "
        start = str(listed.get("start") or "")
        first = int(start) if start.isdecimal() and len(start) < 10 else 1
        self._items[id(listed)] += 1
        return f"{first + self._items[id(listed)] - 1}. "


def _colspan(cell: Tag) -> int:
    written = str(cell.get("colspan") or "")
    return min(int(written), MAX_COLSPAN) or 1 if written.isdecimal() and len(written) < 10 else 1


def _parse_url(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise RejectedCall("Error: invalid url.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RejectedCall("Error: invalid url.")
    if parsed.userinfo:
        raise RejectedCall("Error: the url must not hold a user name or password.")
    return _with_https(parsed)


def _with_https(url: httpx.URL) -> httpx.URL:
    return url.copy_with(scheme="https") if url.scheme == "http" else url


async def _fetch(client: httpx.AsyncClient, url: httpx.URL) -> _Body | httpx.URL:
    """Return the body of a response, or the address it redirects to."""
    async with client.stream("GET", url) as response:
        if response.has_redirect_location:
            return url.join(response.headers["location"])
        if response.status_code != httpx.codes.OK:
            raise RejectedCall(
                f"Error: {url}: HTTP {response.status_code} {response.reason_phrase}"
            )
        content = bytearray()
        async for piece in response.aiter_bytes():
            content += piece
            if len(content) > MAX_BYTES:
                raise RejectedCall(f"Error: {url} has more than {MAX_BYTES >> 20} MB.")
        kind = response.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
        return _Body(kind, bytes(content))


@dataclass(frozen=True, slots=True)
class _Body:
    kind: str
    content: bytes


def _body_text(response: _Body, url: httpx.URL) -> str:
    if response.kind in HTML_TYPES:
        return convert_to_markdown(
            decode_text(response.content[:MAX_HTML_BYTES], Path(url.path)).normalized
        )
    if response.kind.startswith(TEXT_TYPES) or response.kind.endswith(TEXT_SUFFIXES):
        return decode_text(response.content, Path(url.path)).normalized
    raise RejectedCall(f"Error: {url} is {response.kind}, no text.")


def _same_host(address: httpx.URL, target: httpx.URL) -> httpx.URL:
    """Return the redirect target; a rule that allows one host must not lead to another."""
    target = _with_https(target)
    if target.host != address.host or target.scheme != "https" or target.userinfo:
        raise RejectedCall(
            f"Error: {address} redirects to {target}. Call WebFetch with that, if it is right."
        )
    return target

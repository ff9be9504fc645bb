"""HTML as Markdown: what there is to read of a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

UNREAD: Final = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object"})
BLOCKS: Final = frozenset(
    {"p", "div", "section", "article", "main", "header", "footer", "nav", "aside", "ul", "ol"}
    | {"table", "blockquote", "form", "dl", "dt", "dd", "figure", "figcaption", "title"}
)
HEADINGS: Final = {f"h{level}": "#" * level for level in range(1, 7)}
MARKS: Final = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
OPENED: Final = {
    "br": "\n",
    "hr": "\n\n---\n\n",
    "li": "\n- ",
    "tr": "\n",
    "td": " | ",
    "th": " | ",
}
BLANK_LINES: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def markdown_of(html: str) -> str:
    """The text of a page with its headings, lists, links and code."""
    page = _Page()
    page.feed(html)
    page.close()
    return BLANK_LINES.sub("\n\n", page.text()).strip() + "\n"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._unread: str = ""
        self._depth = 0
        self._pre = 0
        self._links: list[str] = []

    def text(self) -> str:
        return "".join(self._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._unread:
            self._depth += tag == self._unread
        elif tag in UNREAD:
            self._unread, self._depth = tag, 1
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")
            self._parts.append("[")
        else:
            self._parts.append(self._opened(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self._unread:
            self._depth -= tag == self._unread
            self._unread = self._unread if self._depth else ""
        elif tag == "a" and self._links:
            self._parts.append(f"]({self._links.pop()})")
        else:
            self._parts.append(self._closed(tag))

    def handle_data(self, data: str) -> None:
        if self._unread:
            return
        self._parts.append(data if self._pre else re.sub(r"\s+", " ", data))

    def _opened(self, tag: str, attributes: dict[str, str | None]) -> str:
        if tag == "pre":
            self._pre += 1
            return "\n\n```\n"
        if tag in HEADINGS:
            return f"\n\n{HEADINGS[tag]} "
        if tag == "img":
            return f"![{attributes.get('alt') or ''}]"
        if tag in MARKS:
            return "" if self._pre else MARKS[tag]
        shown = {"br": "\n", "hr": "\n\n---\n\n", "li": "\n- ", "td": " | ", "th": " | "}
        return shown.get(
            tag, "\n\n" if tag in BLOCKS and tag != "tr" else "\n" if tag == "tr" else ""
        )

    def _closed(self, tag: str) -> str:
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
            return "\n```\n\n"
        if tag in MARKS:
            return "" if self._pre else MARKS[tag]
        return "\n\n" if tag in HEADINGS or tag in BLOCKS else ""

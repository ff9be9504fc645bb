"""HTML as Markdown: what there is to read of a page. Slow to import."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from bs4 import BeautifulSoup
from bs4.element import Declaration, NavigableString, ProcessingInstruction, Tag
from markdownify import ATX, MarkdownConverter

UNREAD: Final = frozenset({"script", "style", "noscript", "template", "svg", "iframe", "object"})
INDENTED: Final = frozenset({"blockquote", "dd", "li"})
DEEPEST: Final = 100
MOST_INDENTED: Final = 12
WIDEST_CELL: Final = 20
CODE_OR_BLANK_LINES: Final = re.compile(
    r"(^[ >]*```\n.*?\n[ >]*```$)|\n(?:[ \t]*\n)+", re.DOTALL | re.MULTILINE
)


def markdown_of(html: str) -> str:
    """The text of a page with its headings, lists, quotes, tables, links and code."""
    # With a root of ours, Beautiful Soup does not warn of texts that look like paths or XML.
    page = _Soup(f"<html>{html}", "lxml")
    text = _Page().convert_soup(page)
    return CODE_OR_BLANK_LINES.sub(lambda found: found[1] or "\n\n", text).strip() + "\n"


class _Soup(BeautifulSoup):
    def pushTag(self, tag: Tag) -> None:  # noqa: N802  the library's name
        """Lets what is nested too deeply be text of what is round it."""
        if len(self.tagStack) < DEEPEST + (tag.name in UNREAD) and not self._is_indented(tag):
            super().pushTag(tag)

    def _is_indented(self, tag: Tag) -> bool:
        outer = self.tagStack if tag.name in INDENTED else ()
        return sum(each.name in INDENTED for each in outer) >= MOST_INDENTED


# INVARIANT: no method looks at all siblings, so that a page of 2 MB, whatever is in it, takes
# seconds. The methods for items, rows and tables are here because the library's look at them.
class _Page(MarkdownConverter):
    def __init__(self) -> None:
        super().__init__(
            heading_style=ATX, bullets="-", escape_asterisks=False, escape_underscores=False
        )
        self._items: Counter[int] = Counter()

    def process_element(self, node: NavigableString | Tag, parent_tags: set[str]) -> str:
        if isinstance(node, Declaration | ProcessingInstruction):
            return ""
        # markdownify's stub lists its public methods alone.
        return str(super().process_element(node, parent_tags))  # type: ignore[misc]

    def process_tag(self, node: Tag, parent_tags: set[str]) -> str:
        if node.name in UNREAD:
            return ""
        return str(super().process_tag(node, parent_tags))  # type: ignore[misc]

    def convert_img(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        return f"![{el.get('alt') or ''}]"

    def convert_li(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        mark = self._mark(el)
        indented = text.strip().replace("\n", "\n" + " " * len(mark))
        return f"{mark}{indented}\n"

    def convert_td(self, el: Tag, text: str, parent_tags: set[str]) -> str:
        inside = " ".join(text.split()).replace("|", "\\|")
        return f" {inside} |" + " |" * (_columns(el) - 1)

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

    def _mark(self, item: Tag) -> str:
        listed = item.parent
        if listed is None or listed.name != "ol":
            return "- "
        start = str(listed.get("start") or "")
        first = int(start) if start.isdecimal() and len(start) < 10 else 1
        self._items[id(listed)] += 1
        return f"{first + self._items[id(listed)] - 1}. "


def _columns(cell: Tag) -> int:
    told = str(cell.get("colspan") or "")
    return min(int(told), WIDEST_CELL) or 1 if told.isdecimal() and len(told) < 10 else 1

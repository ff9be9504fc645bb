"""Fenced blocks: where they stand, and what language they name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mini_agent.errors import BadRequest
from mini_agent_protocol.languages import Language, language_named

FENCE: Final = r"^[ \t>]{0,12}(?P<fence>`{3,}|~{3,})(?P<info>[^\n`]*)(?P<inline>`{3,})?"
LABEL: Final = re.compile(r"\s*\{?\.?([A-Za-z][\w+#-]*)?")
OTHER_LABELS: Final[dict[str, Language]] = {"zsh": "bash", "ipython": "python", "mjs": "node"}


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block. An `is_closed` of False means that the text ended before the fence did."""

    start: int
    end: int
    label: str
    body: str
    body_start: int
    body_end: int
    is_closed: bool

    @property
    def language(self) -> Language | None:
        """The language it names, if programs of it can be run."""
        if self.label in OTHER_LABELS:
            return OTHER_LABELS[self.label]
        try:
            return language_named(self.label)
        except BadRequest:
            return None


def fence_at(opened: re.Match[str]) -> Fence:
    """The block that a match of `FENCE` opens."""
    text, info = opened.string, opened["info"]
    found = LABEL.match(info)
    label = (found[1] or "").lower() if found else ""
    rest = info[found.end() :].strip() if found else ""
    if opened["inline"]:
        start = opened.end("fence") + (found.end() if found else 0)
        start, end = (start, opened.start("inline")) if rest else _plain(opened)
        body = text[start:end].strip()
        return Fence(opened.start(), opened.end(), label, body, start, end, is_closed=True)
    start = opened.start("info") + len(info) + 1
    if rest[:1] in ("{", "[") and not info.lstrip().startswith("{"):
        start = text.index(rest[:1], opened.start("info"))
    if label and info.lstrip().startswith("{") and info.rstrip()[-1:] != "}":
        label, start = "", text.index("{", opened.start("info"))
    closing = re.compile(rf"^[ \t>]{{0,12}}{opened['fence'][0]}{{3,}}[ \t]*$", re.MULTILINE).search(
        text, start
    )
    closing = closing or re.compile(rf"{opened['fence']}[ \t]*$", re.MULTILINE).search(text, start)
    end = closing.start() if closing else len(text)
    body = text[start:end].removesuffix("\n")
    stop = closing.end() if closing else len(text)
    return Fence(opened.start(), stop, label, body, start, end, is_closed=bool(closing))


def _plain(opened: re.Match[str]) -> tuple[int, int]:
    return opened.end("fence"), opened.start("inline")

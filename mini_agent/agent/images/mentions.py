"""The pictures that a text names: by a path, or by a URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Final
from urllib.parse import urlsplit

SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif")
WEB: Final = ("http://", "https://")
# A URL, a name in quotes (which may hold blanks), or a word.
WORDS: Final = re.compile(
    r"""(?P<url>https?://[^\s"'`<>]+)"""
    r"""|(?P<quote>["'`])(?P<quoted>[^"'`\n]+)(?P=quote)"""
    r"""|(?P<word>[^\s"'`<>()\[\]{},;]+)""",
    re.IGNORECASE,
)
ENDS_OF_SENTENCES: Final = ".,;:!?"


def mentions(text: str) -> list[str]:
    """The paths and URLs in `text` that end like a picture's, in order, each once."""
    return list(dict.fromkeys(name for name in _names(text) if _is_a_pictures(name)))


def is_url(mention: str) -> bool:
    """Whether it is to be fetched, rather than read."""
    return mention.lower().startswith(WEB)


def _names(text: str) -> Iterator[str]:
    for found in WORDS.finditer(text):
        name = found["quoted"] or found["url"] or found["word"]
        yield _without_the_sentences_end(name) if not found["quoted"] else name


def _without_the_sentences_end(name: str) -> str:
    shorter = name.rstrip(ENDS_OF_SENTENCES)
    if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
        shorter = _without_the_sentences_end(shorter[:-1])
    return shorter


def _is_a_pictures(name: str) -> bool:
    try:
        path = urlsplit(name).path if is_url(name) else name
    except ValueError:
        return False
    return PurePath(path).suffix.lower() in SUFFIXES

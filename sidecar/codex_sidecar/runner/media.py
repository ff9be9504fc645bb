"""What a file is, told from its content; its name counts only where content cannot lie."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from mini_agent_protocol.media_types import media_type_of

UNKNOWN: Final = "application/octet-stream"
LONGEST_JSON: Final = 1 << 20
SEEN_OF_TEXT: Final = 4096

_PROLOGUE: Final = (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"))
_TEXTS: Final = MappingProxyType(
    {
        ".csv": "text/csv",
        ".html": "text/html",
        ".htm": "text/html",
        ".md": "text/markdown",
        ".tsv": "text/tab-separated-values",
        ".xml": "application/xml",
    }
)


def media_type(name: str, content: bytes) -> str:
    """The media type of a file; an image is one by its content alone."""
    return media_type_of(content) or _of_text(name, content)


def _of_text(name: str, content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return UNKNOWN
    if any(character < " " and character not in "\t\n\r\f\x1b" for character in set(text)):
        return UNKNOWN
    if _is_svg(text[:SEEN_OF_TEXT].lstrip()):
        return "image/svg+xml"
    if _is_json(text):
        return "application/json"
    return _TEXTS.get(PurePosixPath(name).suffix.lower(), "text/plain")


def _is_svg(text: str) -> bool:
    while opened := next((pair for pair in _PROLOGUE if text.startswith(pair[0])), None):
        _, _, rest = text.partition(opened[1])
        text = rest.lstrip()
    return text.startswith(("<svg ", "<svg>", "<svg\n"))


def _is_json(text: str) -> bool:
    if not text.lstrip().startswith(("{", "[")) or len(text) > LONGEST_JSON:
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

"""Escape control characters in text from elsewhere before a terminal shows it."""

from __future__ import annotations

import unicodedata
from typing import Final

ALLOWED_CONTROLS: Final = "\n\t"
# They change the order in which letters are shown, so that code reads as it does not run.
BIDI_CONTROLS: Final = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def escape_controls(text: str) -> str:
    """Return `text` with its control characters escaped, such as `\\x1b`."""
    return "".join(_escape(char) for char in text)


def _escape(char: str) -> str:
    controls = unicodedata.category(char) in ("Cc", "Cs") or char in BIDI_CONTROLS
    return ascii(char)[1:-1] if controls and char not in ALLOWED_CONTROLS else char

"""Strings as models quote them: JSON's way, Python's, and neither."""

from __future__ import annotations

import re
from typing import Final

ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "/": "/",
    "`": "`",
}
ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
SURROGATE: Final = re.compile("[\ud800-\udfff]")
LONGEST_LOOSE: Final = 20_000
CLOSING: Final = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
PLAIN: Final = {
    quote: re.compile(
        rf"{quote}([^{closing}\\]*+(?:\\.[^{closing}\\]*+)*+){closing}",
        re.DOTALL,
    )
    for quote, closing in CLOSING.items()
}
TRIPLE: Final = {
    quote: re.compile(rf"{quote}(.*?){quote}", re.DOTALL) for quote in ('"""', "'''", "```")
}
# What follows a quote that ends a string, where quotes also stand inside the string.
ENDS_IN_OBJECT: Final = (
    r"(?=\s{0,99}(?:\}\s{0,99}(?:[{}\],<`]|\Z|\n)"
    r"|,\s{0,99}[\"'][\w. -]{1,40}[\"']\s{0,9}:))"
)
ENDS_IN_ARRAY: Final = r"(?=\s{0,99}(?:\]\s{0,99}(?:[}\],<`]|\Z|\n)|,\s{0,99}[\"'{\[]))"


def plain_string(text: str, start: int, end: int) -> tuple[str, int] | None:
    """The string that opens at `start` and where it ends; None when it is never closed."""
    triple = TRIPLE.get(text[start : start + 3])
    found = (triple or PLAIN[text[start]]).match(text, start, end)
    return (unescaped(found[1]), found.end()) if found else None


def loose_string(text: str, start: int, end: int, closers: str) -> tuple[str, int] | None:
    """The same for a string that holds its own quote unescaped; `closers` is what follows it."""
    closing = re.compile(rf"(?<!\\){CLOSING[text[start]]}{closers}")
    found = closing.search(text, start + 1, min(end, start + LONGEST_LOOSE))
    return (unescaped(text[start + 1 : found.start()]), found.end()) if found else None


def unescaped(raw: str) -> str:
    """`raw` with JSON's escapes resolved; a backslash that escapes nothing stays."""
    if "\\" not in raw:
        return raw
    resolved = ESCAPE.sub(_character, raw)
    if not SURROGATE.search(resolved):
        return resolved
    return resolved.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: re.Match[str]) -> str:
    escaped = escape[1]
    if len(escaped) > 1:
        return chr(int(escaped[1:], 16))
    return ESCAPES.get(escaped, escape[0])

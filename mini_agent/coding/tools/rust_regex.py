"""Regular expressions in ripgrep's syntax, for the search without ripgrep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mini_agent.tools.arguments import RejectedCall

if TYPE_CHECKING:
    import regex

# What Rust writes in another way than the package `regex`.
DIFFERENCES: Final = re.compile(
    r"\\x\{([0-9A-Fa-f]{1,6})\}|\\[uU]\{([0-9A-Fa-f]{1,6})\}|\\([pP])([A-Za-z])"
    r"|\\b\{(start|end|start-half|end-half)\}|\\([<>z])|\\.",
    re.DOTALL,
)
WORD_EDGES: Final = {"start": r"\m", "end": r"\M", "<": r"\m", ">": r"\M", "z": r"\Z"}
# A set, an escape, or a line feed.
PIECE: Final = re.compile(r"\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\\.|\n", re.DOTALL)
LINE_FEEDS: Final = ("\\n", "\n")


def match_both_line_ends(pattern: str) -> str:
    """Return the pattern with line feeds that match the line ends of Windows too."""
    return PIECE.sub(lambda each: r"\r?\n" if each[0] in LINE_FEEDS else each[0], pattern)


def compile_pattern(pattern: str, *, ignores_case: bool, is_multiline: bool) -> regex.Pattern[str]:
    """Compile a pattern of ripgrep's; raise `RejectedCall` where it is none."""
    import regex

    if not is_multiline and _has_line_feed(pattern):
        raise RejectedCall(
            "Error: a line holds no line feed. Set multiline to true for matches over lines."
        )
    flags = regex.VERSION1 | (regex.IGNORECASE if ignores_case else 0)
    flags |= regex.MULTILINE | regex.DOTALL if is_multiline else 0
    try:
        return regex.compile(DIFFERENCES.sub(_translate, pattern), flags)
    except regex.error as error:
        raise RejectedCall(f"Error: regex parse error:\n    {pattern}\nerror: {error}") from None


def _has_line_feed(pattern: str) -> bool:
    return any(each[0] in LINE_FEEDS for each in PIECE.finditer(pattern))


def _translate(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        number = int(code, 16)
        return f"\\U{number:08x}"
    if found[3]:
        return f"\\{found[3]}{{{found[4]}}}"
    edge = (found[5] or "").removesuffix("-half") or found[6]
    return WORD_EDGES[edge] if edge else found[0]

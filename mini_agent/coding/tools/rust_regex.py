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
LINE_FEED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\n|\n")


def compile_pattern(
    pattern: str, *, ignores_case: bool, is_multiline: bool
) -> regex.Pattern[str]:
    """Compile a pattern of ripgrep's; raise `RejectedCall` where it is none."""
    import regex

    if not is_multiline and LINE_FEED.search(pattern):
        raise RejectedCall(
            "Error: a line holds no line feed. Set multiline to true for matches over lines."
        )
    flags = regex.VERSION1 | (regex.IGNORECASE if ignores_case else 0)
    flags |= regex.MULTILINE | regex.DOTALL if is_multiline else 0
    try:
        return regex.compile(DIFFERENCES.sub(_translate, pattern), flags)
    except regex.error as error:
        raise RejectedCall(f"Error: regex parse error:\n    {pattern}\nerror: {error}") from None


def _translate(found: re.Match[str]) -> str:
    code = found[1] or found[2]
    if code:
        number = int(code, 16)
        return f"\\U{number:08x}"
    if found[3]:
        return f"\\{found[3]}{{{found[4]}}}"
    edge = (found[5] or "").removesuffix("-half") or found[6]
    return WORD_EDGES[edge] if edge else found[0]

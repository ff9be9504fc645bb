"""Code as it was meant, where it cannot be valid as it was sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from mini_agent_protocol.languages import ALIASES, LANGUAGES, Language

BOM: Final = "\ufeff"
_FENCE: Final = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[ \t]*")
_OTHER_TAGS: Final = frozenset({"", "console", "cjs", "mjs", "ipython", "jsx", "zsh", "text"})
# What a Python prompt begins a line with, and what one of IPython does.
_PROMPT: Final = re.compile(r"[ \t]*(?:>>>|In \[\d+\]:)(?: |$)")
_CONTINUED: Final = re.compile(r"[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|\.{3,}:)(?: |$)")
_INDENT: Final = re.compile(r"[ \t]+")


def normalize_code(code: str, language: Language) -> tuple[str, tuple[str, ...]]:
    """Return the code to run, and in words what was changed; nothing of valid code is."""
    changes = []
    for step in (_without_bom, _without_crlf, _without_fence, _without_prompts, _without_indent):
        if (changed := step(code, language)) is not None:
            code, change = changed
            changes.append(change)
    return code, tuple(changes)


_Step = Callable[[str, Language], tuple[str, str] | None]


def _without_bom(code: str, _language: Language) -> tuple[str, str] | None:
    return (code.lstrip(BOM), "a byte order mark was removed") if code[:1] == BOM else None


def _without_crlf(code: str, language: Language) -> tuple[str, str] | None:
    """Bash takes a carriage return for a part of the last word; the other languages do not."""
    is_crlf = "\r\n" in code and code.count("\n") == code.count("\r\n") == code.count("\r")
    if language != "bash" or not is_crlf:
        return None
    return code.replace("\r\n", "\n"), "lines that ended in CR LF end in LF"


def _without_fence(code: str, _language: Language) -> tuple[str, str] | None:
    lines = code.strip().splitlines()
    fences = [match for match in map(_FENCE.fullmatch, lines) if match]
    if len(lines) < 2 or len(fences) != 2 or not _is_pair(lines, fences):
        return None
    return "\n".join([*lines[1:-1], ""]), "the fence around it was removed"


def _is_pair(lines: list[str], fences: list[re.Match[str]]) -> bool:
    opened, closed = fences
    tag = opened[2].lower()
    is_known = tag in LANGUAGES or tag in ALIASES or tag in _OTHER_TAGS
    is_around = (opened.string, closed.string) == (lines[0], lines[-1])
    return is_known and is_around and closed[2] == "" and closed[1].startswith(opened[1])


def _without_prompts(code: str, language: Language) -> tuple[str, str] | None:
    """What a prompt printed is left out with the prompts."""
    first = next((line for line in code.splitlines() if line.strip()), "")
    if language != "python" or not _PROMPT.match(first):
        return None
    kept = [_CONTINUED.sub("", line, count=1) for line in code.splitlines() if _is_typed(line)]
    return "\n".join([*kept, ""]), "prompts, and what was printed after them, were removed"


def _is_typed(line: str) -> bool:
    return _CONTINUED.match(line) is not None


def _without_indent(code: str, language: Language) -> tuple[str, str] | None:
    """A first statement that is indented is never valid, but for the indent of all the lines."""
    lines = code.splitlines(keepends=True)
    first = next((line for line in lines if line.strip() and line.lstrip()[0] != "#"), "")
    indent = _INDENT.match(first)
    if language != "python" or indent is None:
        return None
    dedented = [line.removeprefix(indent[0]) for line in lines]
    return "".join(dedented), "the indent of its first line was removed from all of them"

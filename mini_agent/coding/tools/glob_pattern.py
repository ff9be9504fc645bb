"""Glob patterns over paths: *, ?, [...], {a,b}, and ** for any folders."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mini_agent.errors import BadRequest

TOKEN: Final = re.compile(
    r"(?P<deep>(?:^|(?<=/))(?:\*\*/)*\*\*(?=/|$)/?)|\*+|\?|\[!?\]?[^\]/]*\]|\{|\}|,|.", re.DOTALL
)
SET: Final = re.compile(r"\[(!?\]?[^\]/]*)\]")
WILDCARD: Final = re.compile(r"[*?\[{]")
LIST_SEPARATORS: Final = re.compile(r"[,\s]+")
MAX_ALTERNATIVES: Final = 1000
ANY_FOLDERS: Final = "(?:[^/]+/)*"


@lru_cache(maxsize=500)
def compile_glob(pattern: str) -> re.Pattern[str]:
    """Return the regular expression for the whole paths that `pattern` matches."""
    written = "|".join(map(_translate, expand_braces(pattern)))
    return re.compile(f"(?:{written})", re.DOTALL)


def compile_globs(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Return the regular expression for what any pattern matches; of none, for nothing."""
    return re.compile(
        "|".join(compile_glob(each).pattern for each in patterns) or r"(?!)", re.DOTALL
    )


def expand_braces(pattern: str) -> list[str]:
    """Return the patterns without choices in braces; raise `BadRequest` if there are too many."""
    done, pending = list[str](), [pattern]
    while pending:
        if len(done) + len(pending) > MAX_ALTERNATIVES:
            raise BadRequest(f"the pattern {pattern!r:.100} has too many braces")
        each = pending.pop()
        parts = _first_braces(each)
        if parts is None:
            done.append(each)
            continue
        head, inside, tail = parts
        pending += [head + choice + tail for choice in reversed(_split_choices(inside))]
    return done


def split_list(written: str) -> list[str]:
    """Return the globs of a list such as `*.ts, *.tsx`, or the only one.

    Commas and blanks separate them outside of braces, where each part has a wildcard: else they
    are characters of a name.
    """
    masked = _mask_braces(written)
    parts, start = list[str](), 0
    for gap in LIST_SEPARATORS.finditer(masked):
        parts.append(written[start : gap.start()])
        start = gap.end()
    parts = [part for part in (*parts, written[start:]) if part]
    return parts if all(map(WILDCARD.search, parts)) else [written]


def literal_brackets(pattern: str) -> str:
    """Return the glob for ripgrep with its brackets as characters of names."""
    if "\\" in pattern or not SET.search(pattern):
        return pattern
    return pattern.replace("[", r"\[").replace("]", r"\]")


def literal_braces(pattern: str) -> str:
    """Return the glob for ripgrep with what is left of braces as characters of names."""
    return re.sub(r"(?<!\\)([{}])", r"\\\1", pattern)


def has_valid_sets(pattern: str) -> bool:
    """Return whether all bracket expressions can be sets; the name `[post-id]` cannot."""
    return all(_compile_set(found[1]) for found in SET.finditer(pattern))


def fixed_prefix(pattern: str) -> str:
    """Return the leading folders of a pattern that hold no wildcard."""
    *folders, _name = pattern.split("/")
    fixed: list[str] = []
    for folder in folders:
        if WILDCARD.search(folder):
            break
        fixed.append(folder)
    return "/".join(fixed) or ("/" if pattern.startswith("/") else "")


def _translate(pattern: str) -> str:
    parts = [""]
    for match in TOKEN.finditer(pattern):
        text = match[0]
        if match["deep"]:
            parts[-1] += ANY_FOLDERS if text.endswith("/") else ".*"
        elif text.startswith("*"):
            parts.append("")
        else:
            parts[-1] += _translate_token(text)
    head, *rest = parts
    if not rest:
        return head
    # Atomic groups: before a further star, the first match of a part is good enough. With
    # backtracking, some patterns would take exponential time.
    atomic = (f"[^/]*{part}" if ANY_FOLDERS in part else f"(?>[^/]*?{part})" for part in rest[:-1])
    return "".join((head, *atomic, f"[^/]*{rest[-1]}"))


def _translate_token(text: str) -> str:
    if text == "?":
        return "[^/]"
    if not text.startswith("[") or len(text) <= 2:
        return re.escape(text)
    # Brackets may also be characters of a name: frameworks call folders `[id]`.
    translated = _compile_set(text[1:-1])
    return f"(?:{translated}|{re.escape(text)})" if translated else re.escape(text)


def _compile_set(inside: str) -> str:
    """Return the regular expression of a set; empty if it cannot be one."""
    negated = inside.startswith("!")
    written = re.sub(r"([\\\[&~|^])", r"\\\1", inside.removeprefix("!"))
    if written.startswith("]"):
        written = "\\" + written
    translated = f"[{'^/' if negated else ''}{written}]"
    try:
        re.compile(translated)
    except re.error:
        return ""
    return translated


def _mask_braces(pattern: str) -> str:
    """Return the pattern with what is in braces and sets replaced by letters."""
    depth, masked = 0, list[str]()
    for character in pattern:
        depth = max(0, depth + {"{": 1, "[": 1, "}": -1, "]": -1}.get(character, 0))
        masked.append("x" if depth else character)
    return "".join(masked)


def _first_braces(pattern: str) -> tuple[str, str, str] | None:
    """Split at the first braces that hold a choice; others are characters, as to a shell."""
    for found in re.finditer(r"\{", pattern):
        start = found.start()
        end = _closing_brace(pattern, start)
        inside = pattern[start + 1 : end]
        if end > start and len(_split_choices(inside)) > 1:
            return pattern[:start], inside, pattern[end + 1 :]
    return None


def _closing_brace(pattern: str, start: int) -> int:
    """Return the index of the brace that closes the one at `start`; -1 if none does."""
    depth = 0
    for index in range(start, len(pattern)):
        depth += {"{": 1, "}": -1}.get(pattern[index], 0)
        if depth == 0:
            return index
    return -1


def _split_choices(inside: str) -> list[str]:
    choices, depth = [""], 0
    for character in inside:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            choices.append("")
        else:
            choices[-1] += character
    return choices

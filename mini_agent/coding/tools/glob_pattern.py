"""Glob patterns over paths: *, ?, [...], {a,b}, and ** for any folders."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mini_agent.errors import BadRequest

TOKEN: Final = re.compile(
    r"(?P<deep>(?:^|(?<=/))(?:\*\*/)*\*\*(?=/|$)/?)|\*+|\?|\[!?\]?[^\]/]*\]|\{|\}|,|.", re.DOTALL
)
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
    """Return the patterns without braces; raise `BadRequest` if there are too many."""
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


def fixed_prefix(pattern: str) -> str:
    """Return the leading folders of a pattern that hold no wildcard."""
    *folders, _name = pattern.split("/")
    fixed: list[str] = []
    for folder in folders:
        if re.search(r"[*?\[{]", folder):
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
    return _translate_set(text[1:-1]) if text.startswith("[") and len(text) > 2 else re.escape(text)


def _translate_set(inside: str) -> str:
    negated = inside.startswith("!")
    written = re.sub(r"([\\\[&~|^])", r"\\\1", inside.removeprefix("!"))
    if written.startswith("]"):
        written = "\\" + written
    return f"[{'^/' if negated else ''}{written}]"


def _first_braces(pattern: str) -> tuple[str, str, str] | None:
    start = pattern.find("{")
    depth = 0
    for index in range(start, len(pattern)) if start >= 0 else ():
        depth += {"{": 1, "}": -1}.get(pattern[index], 0)
        if depth == 0:
            return pattern[:start], pattern[start + 1 : index], pattern[index + 1 :]
    return None


def _split_choices(inside: str) -> list[str]:
    choices, depth = [""], 0
    for character in inside:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "," and depth == 0:
            choices.append("")
        else:
            choices[-1] += character
    return choices

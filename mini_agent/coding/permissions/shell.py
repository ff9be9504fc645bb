"""Whether a rule of permission speaks of a command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Final

from mini_agent.coding.permissions.commands import BLANKS, Words, commands_in, named
from mini_agent.coding.permissions.options import OPTIONS, beyond_stars, may_become_options
from mini_agent.tools.shell_line import Unreadable, take_apart

PREFIX: Final = ":*"
STAR: Final = re.compile(r"(?<!\\)\*")
PLAIN: Final = re.compile(r"[\w./~ +@=,][\w./~ +@=,-]*")
BLANK: Final = re.compile(r"\s")
GLOB: Final = re.compile(r"[*?\[]")


def touches_line(spec: str, line: str) -> bool:
    """Whether any command in the line is meant, as far as it can be told from its text."""
    pattern, first = _pattern(spec), spec.partition(" ")[0].removesuffix(PREFIX)
    if pattern.fullmatch(line.strip(BLANKS)):
        return True
    found = (_as_named(words, first) for words in commands_in(line))
    return any(pattern.fullmatch(" ".join(words)) for words in found)


def line_spec(line: str) -> str:
    """The spec that stands for this line alone."""
    return line.strip(BLANKS).replace("*", r"\*")


def covers_line(spec: str, line: str, is_inside: Callable[[str], bool]) -> bool:
    """Whether all commands in the line are meant, and it does nothing beside them.

    It may begin with a cd into a folder that `is_inside`.
    """
    if _literal(spec) == line.strip(BLANKS):
        return True
    try:
        taken = take_apart(line.strip(BLANKS))
    except Unreadable:
        return False
    first, *behind = taken.commands or ((),)
    goes_inside = behind and len(first) == 2 and first[0] == "cd" and PLAIN.fullmatch(first[1])
    moves = goes_inside and is_inside(first[1])
    commands = behind if moves else taken.commands
    is_open = may_become_options(line)
    covered = (_covers(spec, words, is_open=is_open) for words in commands)
    return bool(commands) and taken.only_joined and all(covered)


def _covers(spec: str, words: Words, *, is_open: bool) -> bool:
    # A blank in a word does not end it.
    written = " ".join(BLANK.sub("\0", word) for word in words)
    if not _pattern(spec).fullmatch(written):
        return False
    if STAR.search(spec) is None:
        return True
    if is_open and named(words)[0] in OPTIONS:
        return False
    named_in_spec = {word for word in spec.removesuffix(PREFIX).split() if word != "*"}
    return beyond_stars(words) <= named_in_spec


def _as_named(words: Words, name: str) -> Words:
    """The command; where its name is a pattern for files, `name` if that is one of them."""
    is_meant = GLOB.search(words[0]) and name and fnmatchcase(name, words[0])
    return (name, *words[1:]) if is_meant else words


def _pattern(spec: str) -> re.Pattern[str]:
    if spec.endswith(PREFIX):
        return re.compile(rf"{re.escape(spec.removesuffix(PREFIX))}(?:\s.*)?", re.DOTALL)
    parts = STAR.split(spec.removesuffix(" *"))
    written = ".*".join(re.escape(_literal(part)) for part in parts)
    return re.compile(written + (r"(?:\s.*)?" if spec.endswith(" *") else ""), re.DOTALL)


def _literal(spec: str) -> str:
    return spec.replace(r"\*", "*")

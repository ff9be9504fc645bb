"""Whether a rule of permission speaks of a command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mini_agent.tools.shell_line import Unreadable, take_apart

PREFIX: Final = ":*"
# They start the command that stands behind them.
IN_FRONT: Final = frozenset(
    {"sudo", "env", "nohup", "time", "timeout", "nice", "xargs", "command", "exec", "eval", "find"}
    | {"if", "then", "else", "while", "until", "do", "!"}
)
PLAIN: Final = re.compile(r"[\w./~ +@=,][\w./~ +@=,-]*")
BETWEEN: Final = re.compile(r"[;&|\n`$(){}<>\"']+")


def touches_line(spec: str, line: str) -> bool:
    """Whether any command in the line is meant, as far as it can be told from its text."""
    pattern = _pattern(spec)
    return any(pattern.fullmatch(text) for text in {line.strip(), *_all_commands(line)})


def covers_line(spec: str, line: str, is_inside: Callable[[str], bool]) -> bool:
    """Whether all commands in the line are meant, and it does nothing beside them.

    It may begin with a cd into a folder that `is_inside`.
    """
    pattern = _pattern(spec)
    if spec == line.strip():
        return True
    try:
        taken = take_apart(line.strip())
    except Unreadable:
        return False
    first, *behind = taken.commands or ((),)
    goes_inside = behind and len(first) == 2 and first[0] == "cd" and PLAIN.fullmatch(first[1])
    moves = goes_inside and is_inside(first[1])
    commands = [" ".join(words) for words in (behind if moves else taken.commands)]
    return bool(commands) and taken.only_joined and all(map(pattern.fullmatch, commands))


def _pattern(spec: str) -> re.Pattern[str]:
    if spec.endswith(PREFIX):
        return re.compile(rf"{re.escape(spec.removesuffix(PREFIX))}(?:\s.*)?", re.DOTALL)
    written = ".*".join(re.escape(part) for part in spec.removesuffix(" *").split("*"))
    return re.compile(written + (r"(?:\s.*)?" if spec.endswith(" *") else ""), re.DOTALL)


def _all_commands(line: str) -> set[str]:
    """Every text in the line that may be a command, also where it cannot be taken apart."""
    fragments = [tuple(fragment.split()) for fragment in BETWEEN.split(line)]
    with suppress(Unreadable):
        fragments += take_apart(line.strip()).commands
    return {" ".join(words) for fragment in fragments for words in _unwrapped(fragment)}


def _unwrapped(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The command, and what it starts where it is one that starts another."""
    if not words:
        return []
    name = words[0].rpartition("/")[2]
    found = [words, (name, *words[1:])]
    if name in IN_FRONT:
        for place in range(1, len(words)):
            found += [words[place:], (words[place].rpartition("/")[2], *words[place + 1 :])]
    return found

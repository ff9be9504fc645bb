"""Every command that a line for the shell may start, as far as its text tells."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, TypeAlias

from mini_agent.tools.shell_line import ASSIGNMENT, Unreadable, take_apart

Words: TypeAlias = tuple[str, ...]
# What a shell does not count as words; str.strip takes more away, such as a carriage return.
BLANKS: Final = " \t\n"
SHELLS: Final = frozenset({"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish"})
# They start the command that stands behind them.
IN_FRONT: Final = SHELLS | frozenset(
    {"sudo", "doas", "su", "env", "nohup", "time", "timeout", "nice", "ionice", "chrt", "stdbuf"}
    | {"xargs", "parallel", "watch", "setsid", "flock", "script", "strace", "ltrace", "busybox"}
    | {"chroot", "unshare", "nsenter", "ssh", "taskset", "command", "builtin", "exec", "eval"}
    | {"coproc", "trap", "find", "fd", "npx", "bunx", "if", "then", "elif", "else", "while"}
    | {"until", "do", "!"}
)
# Of a command behind another.
MOST_WORDS: Final = 32
BETWEEN: Final = re.compile(r"[;&|\n`$(){}\"']+|\d*[<>]+[&|]?")
QUOTED: Final = re.compile(r"\\\n|(?P<coded>\$'(?:[^'\\]|\\.)*')|[\"']|\\(?=.)", re.DOTALL)


def commands_in(line: str) -> set[Words]:
    """The words of each of them, also where the line cannot be taken apart for certain."""
    fragments = [*_fragments(line), *_fragments(QUOTED.sub(_plain, line))]
    with suppress(Unreadable):
        fragments += take_apart(line.strip(BLANKS)).commands
    # What goes into a shell may be a command, wherever it stands.
    is_piped = any(words[0].rpartition("/")[2] in SHELLS for words in fragments)
    return {found for words in fragments for found in _unwrapped(words, everywhere=is_piped)}


def named(words: Words) -> Words:
    """The command by its name alone, wherever its file is."""
    return (words[0].rpartition("/")[2], *words[1:])


def _fragments(line: str) -> Iterator[Words]:
    begin, behind = 0, ""
    for found in (*BETWEEN.finditer(line), None):
        words = tuple(line[begin : found.start() if found else None].split())
        yield from _without_assignments(words)
        # The first word behind < or > is a file.
        if behind.strip("0123456789&|")[:1] in ("<", ">"):
            yield from _without_assignments(words[1:])
        if found:
            begin, behind = found.end(), found[0]


def _without_assignments(words: Words) -> Iterator[Words]:
    if words:
        yield words
        # What braces may stand for.
        spread = (*filter(None, words[0].split(",")), *words[1:])
        yield from (spread,) if spread else ()
    while words and (assigned := ASSIGNMENT.match(words[0])):
        value = words[0][assigned.end() :]
        words = words[1:]
        yield from ((value,),) if value else ()
        yield from (words,) if words else ()


def _unwrapped(words: Words, *, everywhere: bool) -> Iterator[Words]:
    """The command, what it starts where it starts another, and both without what is in front."""
    starts = everywhere or words[0].rpartition("/")[2] in IN_FRONT
    for place in range(len(words) if starts else 1):
        behind = words[place : place + MOST_WORDS] if place else words
        yield behind
        yield named(behind)
        yield from _without_options(named(behind))


def _without_options(words: Words) -> Iterator[Words]:
    """The command without the options in front of what it is to do, and without their values."""
    for place in range(1, len(words)):
        before = words[max(1, place - 1) : place + 1]
        if not any(word.startswith(("-", "+")) for word in before):
            return
        yield (words[0], *words[place + 1 :])


def _plain(found: re.Match[str]) -> str:
    coded = found["coded"]
    if coded is None:
        return ""
    with suppress(ValueError):
        return codecs.decode(coded[2:-1], "unicode_escape")
    return coded

"""A shell command line taken apart: which commands are in it, and their words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

TOKEN: Final = re.compile(
    r"""
      (?P<blank>[ \t]+)
    | (?P<joined>\\\n)
    | (?P<hidden>`|\$[('"]|[<>]\(|<<(?!<))
    | (?P<redirect>\d*(?:&>>|&>|>>|>\||>&|<>|<&|<<<|>|<))
    | (?P<separator>&&|\|\||\|&|;;|[;|&()\n])
    | '(?P<single>[^']*)'
    | "(?P<double>(?:[^"\\`$]|\\.|\$(?!\())*)"
    | \\(?P<escaped>.)
    | (?P<plain>[^ \t\n'"\\`$;|&()<>]+|\$)
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES_IN_QUOTES: Final = re.compile(r'\\([$`"\\])|\\\n')
HARMLESS: Final = ("2>&1", "1>&2", ">&2", "2>/dev/null", ">/dev/null", "1>/dev/null")
ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")


class Unreadable(Exception):
    """The line cannot be taken apart for certain; the text says what is in the way."""


@dataclass(frozen=True, slots=True)
class ShellLine:
    """The commands of a line, each as its words without redirections and assignments.

    `plain` means one command and nothing that only a shell could do with it; `only_joined`, several
    with nothing but ; or | or && between them: no files, no variables.
    """

    commands: tuple[tuple[str, ...], ...]
    plain: bool
    only_joined: bool = False


def take_apart(line: str) -> ShellLine:
    """The commands in `line`; `Unreadable` for text that could hide another command."""
    reader = _Reader()
    position = 0
    while position < len(line):
        found = TOKEN.match(line, position)
        if found is None:
            raise Unreadable(_what_is_in_the_way(line[position]))
        reader.take(found)
        position = found.end()
    reader.end_command()
    return ShellLine(
        tuple(reader.commands),
        plain=len(reader.commands) == 1 and not reader.has_operators,
        only_joined=not reader.has_more,
    )


@dataclass(slots=True)
class _Reader:
    commands: list[tuple[str, ...]] = field(default_factory=list)
    has_operators: bool = False
    has_more: bool = False
    _words: list[str] = field(default_factory=list)
    _word: str | None = None
    _is_target: bool = False
    _redirection: str = ""

    def take(self, found: re.Match[str]) -> None:
        kind, text = found.lastgroup, found[found.lastgroup or 0]
        if kind == "hidden":
            raise Unreadable(f"{text} can hide another command")
        if kind == "joined":
            return
        if kind == "blank":
            self._end_word()
        elif kind == "redirect":
            self._end_word()
            self.has_operators = self._is_target = True
            self._redirection = text
        elif kind == "separator":
            self.end_command()
            self.has_operators = True
        elif text.startswith("#") and kind == "plain" and self._word is None:
            raise Unreadable("a # comment can hide another command")
        else:
            self._word = (self._word or "") + _unquoted(kind, text)

    def end_command(self) -> None:
        self._end_word()
        self._is_target = False
        if self._words:
            self.commands.append(tuple(self._words))
            self._words.clear()

    def _end_word(self) -> None:
        if self._word is None:
            return
        is_assignment = not self._words and ASSIGNMENT.match(self._word)
        if is_assignment and not self._is_target:
            self.has_operators = self.has_more = True
        elif self._is_target:
            self.has_more |= f"{self._redirection}{self._word}" not in HARMLESS
        else:
            self._words.append(self._word)
        self._is_target = False
        self._word = None


def _unquoted(kind: str | None, text: str) -> str:
    return ESCAPES_IN_QUOTES.sub(r"\1", text) if kind == "double" else text


def _what_is_in_the_way(character: str) -> str:
    if character in "'\"":
        return f"a quotation mark {character} is not closed, or ` or $( is inside it"
    return "the line ends with a \\"

"""A parsed shell line: its simple commands, redirections and assignments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

QUOTED_PIECE: Final = re.compile(r"\\.|'[^']*'|(?P<quoted>\"(?:[^\"\\]|\\.)*\")", re.DOTALL)
EXPANSION: Final = re.compile(r"\$[\w{@*#?!$(\[-]|`|[<>]\(")
BRACES: Final = re.compile(r"\{[^}\s]*(?:,|\.\.)")
GLOB: Final = re.compile(r"[*?\[]|[@+!]\(")
QUOTES: Final = re.compile(r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
SINGLE_QUOTES: Final = re.compile(r"\\.|'[^']*'", re.DOTALL)
SIMPLE_EXPANSION: Final = re.compile(r"\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\}|[0-9@*#?$!-])")


@dataclass(frozen=True, slots=True)
class Word:
    """One word: `text` without its quotes, expansions in it as they were written in `source`."""

    text: str
    source: str

    @property
    def expands(self) -> bool:
        """Whether a variable, a substitution or a calculation is a part of it."""
        shown = QUOTED_PIECE.sub(lambda piece: piece["quoted"] or "", self.source)
        return EXPANSION.search(shown) is not None

    @property
    def has_braces(self) -> bool:
        """Whether braces may make several words of it."""
        return BRACES.search(QUOTED_PIECE.sub("", self.source)) is not None

    @property
    def may_split(self) -> bool:
        """Whether a shell may make several words of it, or other ones than are written."""
        bare = QUOTES.sub("", self.source)
        return bool(EXPANSION.search(bare) or BRACES.search(bare) or GLOB.search(bare))

    @property
    def is_glob(self) -> bool:
        """Whether it stands for names of files, and nothing else in it is for the shell."""
        bare = QUOTED_PIECE.sub("", self.source)
        return GLOB.search(bare) is not None and not (self.expands or self.has_braces)

    @property
    def is_simple(self) -> bool:
        """Whether nothing but plain variables is put into it: nothing is run or calculated."""
        shown = SINGLE_QUOTES.sub("", self.source)
        return EXPANSION.search(SIMPLE_EXPANSION.sub("", shown)) is None

    @property
    def is_static(self) -> bool:
        """Whether it is the same word whatever variables and files there are."""
        bare = QUOTED_PIECE.sub("", self.source)
        return not (self.expands or self.has_braces or GLOB.search(bare))


@dataclass(frozen=True, slots=True)
class Redirection:
    """`operator` with the descriptor before it; `target` is a file, or the text of a here-string
    or here-document.
    """

    operator: str
    target: Word

    @property
    def is_text(self) -> bool:
        """Whether the target is what is read, not a file."""
        return "<<" in self.operator


@dataclass(frozen=True, slots=True)
class SimpleCommand:
    """One program, builtin or function, and its arguments; `assignments` are for it alone."""

    words: tuple[Word, ...]
    assignments: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The words as the command gets them, but for expansions."""
        return tuple(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Loop:
    """The variable of a for, and the words that it takes one after the other."""

    name: str
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class ShellLine:
    """All simple commands of a line, wherever they stand, and what else it does.

    `problem` says why the commands cannot be known from the text alone. `hiding` is the first
    piece that holds more than words and signs. `only_joined` means commands with nothing but ; or
    | or || or && or & between them: no files, no variables set. `only_parts` allows conditions,
    loops, groups, files and variables as well: the commands, redirections, assignments and loops
    are all that the line does. `is_sequence` means that no command stands in a loop, a group or a
    pipe. `plain` is one command and nothing that only a shell could do with it.
    """

    commands: tuple[SimpleCommand, ...]
    redirections: tuple[Redirection, ...] = ()
    assignments: tuple[str, ...] = ()
    problem: str = ""
    hiding: str = ""
    loops: tuple[Loop, ...] = ()
    only_joined: bool = False
    only_parts: bool = False
    is_sequence: bool = False
    plain: bool = False

    @property
    def is_static(self) -> bool:
        """Whether the text tells which commands it starts."""
        return not self.problem

    @property
    def unreadable(self) -> str:
        """Why a reader that takes nothing but words and signs refuses it; else nothing."""
        return self.problem or (f"{self.hiding} can hide another command" if self.hiding else "")

"""One search of Grep, and ripgrep's options for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from mini_agent.coding.tools.glob_pattern import (
    expand_braces,
    has_valid_sets,
    literal_braces,
    literal_brackets,
    split_list,
)
from mini_agent.coding.tools.rust_regex import match_both_line_ends

OutputMode: TypeAlias = Literal["content", "files_with_matches", "count"]
GIT_FOLDER: Final = "!.git"


def _read_integral(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Count = Annotated[
    int,
    Field(ge=0, strict=True),
    BeforeValidator(_read_integral),
    WithJsonSchema({"type": "number", "minimum": 0}),
]


@dataclass(frozen=True, slots=True)
class ContentSearch:
    """A pattern, where it is searched for, and what is printed of the matches.

    What is printed, by ripgrep or by our own search: of files the path and a NUL; of counts the
    path, a NUL and the number; of content the path, a NUL and `LINE:COLUMN:TEXT`, or `LINE-TEXT`
    around a match. Columns are bytes, from 1. `glob` is a list of globs as the model writes it.
    With `searches_all`, hidden, ignored and binary files are searched too.
    """

    pattern: str
    target: Path
    mode: OutputMode = "files_with_matches"
    glob: str = ""
    file_type: str = ""
    before: int = 0
    after: int = 0
    ignores_case: bool = False
    is_multiline: bool = False
    searches_all: bool = False

    @property
    def folder(self) -> Path:
        """Return the folder in which the search begins."""
        return self.target if self.target.is_dir() else self.target.parent

    @property
    def globs(self) -> list[str]:
        """Return the globs without braces."""
        return [each for part in split_list(self.glob) for each in expand_braces(part) if each]

    @property
    def ripgrep_globs(self) -> Iterable[str]:
        """Return the globs, those with brackets also with these as characters of names."""
        sets = filter(has_valid_sets, self.globs)
        both = dict.fromkeys([*sets, *map(literal_brackets, self.globs)])
        return map(literal_braces, both)

    @property
    def names_hidden(self) -> bool:
        """Return whether a glob names a file or folder by its leading dot."""
        names = (name for each in self.globs for name in each.removeprefix("!").split("/"))
        return any(name.startswith(".") for name in names)

    def ripgrep_options(self) -> Iterator[str]:
        """Return the options and the target."""
        pattern = match_both_line_ends(self.pattern) if self.is_multiline else self.pattern
        yield from ("--null", f"--regexp={pattern}")
        yield from self._mode_options()
        if self.ignores_case:
            yield "--ignore-case"
        if self.is_multiline:
            yield from ("--multiline", "--multiline-dotall")
        if "\\r" not in self.pattern and "\r" not in self.pattern:
            # A `$` is found before the line ends of Windows.
            yield "--crlf"
        if self.glob:
            yield from (f"--glob={glob}" for glob in self.ripgrep_globs)
        elif self.file_type:
            yield f"--type={self.file_type}"
        if self.searches_all:
            yield from ("--no-ignore", "--binary")
        if self.names_hidden or self.searches_all:
            yield from ("--hidden", f"--glob={GIT_FOLDER}")
        yield from ("--", str(self.target))

    def _mode_options(self) -> Iterator[str]:
        if self.mode == "files_with_matches":
            yield "--files-with-matches"
        elif self.mode == "count":
            yield from ("--count", "--with-filename")
        else:
            yield from ("--no-heading", "--with-filename", "--line-number", "--column")
            yield from (f"--after-context={self.after}", f"--before-context={self.before}")

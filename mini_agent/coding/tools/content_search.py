"""One search of Grep, and ripgrep's options for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BeforeValidator, Field, WithJsonSchema

from mini_agent.coding.tools.glob_pattern import (
    expand_braces,
    has_valid_sets,
    literal_brackets,
    split_list,
)

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

    @property
    def folder(self) -> Path:
        """Return the folder in which the search begins."""
        return self.target if self.target.is_dir() else self.target.parent

    @property
    def globs(self) -> tuple[str, ...]:
        """Return the globs without braces, each also with its brackets as characters."""
        plain = [each for part in split_list(self.glob) for each in expand_braces(part) if each]
        sets = filter(has_valid_sets, plain)
        return tuple(dict.fromkeys([*sets, *map(literal_brackets, plain)]))

    @property
    def names_hidden(self) -> bool:
        """Return whether a glob names a file or folder by its leading dot."""
        names = (name for each in self.globs for name in each.removeprefix("!").split("/"))
        return any(name.startswith(".") for name in names)

    def ripgrep_options(self) -> Iterator[str]:
        """Return the options and the target."""
        yield from ("--null", f"--regexp={self.pattern}")
        yield from self._mode_options()
        if self.ignores_case:
            yield "--ignore-case"
        if self.is_multiline:
            yield from ("--multiline", "--multiline-dotall")
        if "\\r" not in self.pattern and "\r" not in self.pattern:
            # A `$` is found before the line ends of Windows.
            yield "--crlf"
        if self.globs:
            yield from (f"--glob={glob}" for glob in self.globs)
        elif self.file_type:
            yield f"--type={self.file_type}"
        if self.names_hidden:
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

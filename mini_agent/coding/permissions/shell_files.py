"""The files that a shell command line may read or change, as far as its text shows."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, pairwise
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions import file_commands
from mini_agent.coding.permissions.shell_commands import (
    MAX_WRAPPED_WORDS,
    WRAPPERS,
    find_commands,
    parse_nested_lines,
    parse_shell_lines,
)
from mini_agent.coding.permissions.shell_options import SHELLS, Words, strip_folder
from mini_agent.coding.permissions.shell_values import LineValues
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.text_file import is_folder
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.shell_line import Word

REDIRECTION: Final = re.compile(r"(?P<sign><>|[<>])[&|]?\s*(?P<name>[^\s;&|()<>]+)")
# A file may stand behind one of these, as in --file=NAME, if=NAME, @NAME.
VALUE_SEPARATOR: Final = re.compile(r"[=,:@]")
FOLDER_OPTION: Final = re.compile(r"-C(?P<glued>.*)|--(?:directory|chdir)(?:=(?P<long>.*))?")
MOVING: Final = ("cd", "pushd", "popd")
MAX_GLOB_MATCHES: Final = 1000
MAX_GLOB_PARTS: Final = 4
MAX_STARTS: Final = 64
MAX_TREE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder that is opened with what is in it; `is_sure` unless options choose among that."""

    folder: Path
    is_sure: bool
    with_hidden: bool


@dataclass(frozen=True, slots=True)
class FileUse:
    """Files that a line opens: surely, or maybe; `is_unclear` if its text does not tell all."""

    paths: frozenset[Path]
    mentioned: frozenset[Path]
    trees: frozenset[Tree]
    is_unclear: bool


@dataclass(frozen=True)
class LineFiles:
    """The files of one command line."""

    line: str
    context: ToolContext

    @cached_property
    def read(self) -> FileUse:
        """Return the files that it may read."""
        return self._find("<", file_commands.find_read_words)

    @cached_property
    def changed(self) -> FileUse:
        """Return the files that it may change."""
        return self._find(">", file_commands.find_changed_words)

    @cached_property
    def values(self) -> LineValues:
        """Return the variables of the line."""
        lines = parse_shell_lines(self.line)
        moves = any(command.texts[0] in MOVING for line in lines for command in line.commands)
        here = {"PWD": "$PWD" if moves else str(self.context.cwd), "OLDPWD": "$OLDPWD"}
        return LineValues(lines, {**self.context.environment, **here})

    @cached_property
    def _commands(self) -> frozenset[Words]:
        forms = (form for each in find_commands(self.line) for form in self.values.expand(each))
        return frozenset(strip_folder(form) for form in forms if form)

    @cached_property
    def _started(self) -> list[tuple[Word, ...]]:
        """Return the commands as they are written, and those that they start."""
        commands = [command.words for line in self.values.lines for command in line.commands]
        return [
            words[index:]
            for words in commands
            for index in range(min(len(words), MAX_WRAPPED_WORDS))
            if index == 0 or words[0].text.rpartition("/")[2] in WRAPPERS
        ]

    @cached_property
    def _starts(self) -> tuple[Path, ...]:
        """Return the folders that the line may be in, one after the other."""
        names = {name for words in self._commands for name in _folder_names(words)}
        starts = {self.context.cwd}
        for _ in names:
            starts |= {
                path for start in starts for name in names for path in self._join(start, name)
            }
            if len(starts) > MAX_STARTS:
                break
        return tuple(islice(starts, MAX_STARTS))

    def _find(self, sign: str, touched: Callable[[Words], Words]) -> FileUse:
        reads = sign == "<"
        find_mentioned = (
            file_commands.find_mentioned_words if reads else file_commands.find_written_words
        )
        names = set(self._redirection_targets(sign))
        mentioned: set[str] = set()
        for words in self._commands:
            names.update(touched(words))
            mentioned.update(find_mentioned(words))
        feeds = file_commands.feeds_files if reads else file_commands.feeds_changes
        if any(map(feeds, self._commands)):
            names.update(word for words in self._commands for word in words)
        paths = frozenset(self._resolve_all(names))
        return FileUse(
            paths,
            frozenset(self._resolve_all(mentioned)),
            frozenset(self._trees(touched, reads=reads)),
            self._is_unclear(names, reads=reads),
        )

    def _is_unclear(self, names: Iterable[str], *, reads: bool) -> bool:
        folders = (name for words in self._commands for name in _folder_names(words))
        known = (*names, *folders)
        opens_unknown = file_commands.feeds_files if reads else _changes_unknown
        return (
            self.values.is_unclear
            or len(self._starts) >= MAX_STARTS
            or any(map(self.values.is_open, known))
            or any(sum(map(glob.has_magic, Path(n).parts)) > MAX_GLOB_PARTS for n in names)
            or any(map(file_commands.runs_code, self._started))
            or any(map(file_commands.KERNEL_PATHS.fullmatch, names))
            or any(map(opens_unknown, self._commands))
            or any(
                words[0] in SHELLS and any(map(self.values.is_open, words))
                for words in self._commands
            )
        )

    def _redirection_targets(self, sign: str) -> Iterator[str]:
        lines = parse_nested_lines(self.line)
        for each in (redirection for parsed in lines for redirection in parsed.redirections):
            if sign in each.operator and not each.is_text:
                yield from self.values.forms(each.target.text)
        if not all(parsed.is_static for parsed in lines):
            found = REDIRECTION.finditer(self.line)
            texts = (match["name"].strip("\"'") for match in found if sign in match["sign"])
            yield from (form for text in texts for form in self.values.forms(text))

    def _trees(self, touched: Callable[[Words], Words], *, reads: bool) -> Iterator[Tree]:
        for words in self._commands:
            found = file_commands.opens_found_files if reads else file_commands.changes_found_files
            if not file_commands.is_recursive(words) or (words[0] == "find" and not found(words)):
                continue
            own = file_commands.find_started_folders(words)
            if "|" in self.line and file_commands.starts_in_folder(words):
                own = ()
            for path in self._resolve_all((*touched(words), *own)):
                if is_folder(path):
                    is_sure = not file_commands.selects_files(words)
                    yield Tree(path, is_sure, not file_commands.skips_hidden(words))

    def _resolve_all(self, words: Iterable[str]) -> Iterator[Path]:
        names = {name for word in words for name in _names_in(word) if name}
        for start in self._starts:
            for name in names:
                yield from _expand_globs(self._join(start, name))

    def _join(self, start: Path, name: str) -> Iterator[Path]:
        with suppress(RejectedCall, RuntimeError):
            home = name.startswith("~")
            if name[:2] in ("~+", "~-"):
                yield start / name[2:].lstrip("/")
            elif home and name[1:2] not in ("", "/"):
                yield Path(name).expanduser()
            else:
                path = self.context.path(name)
                yield path if home else start / name


def _changes_unknown(words: Words) -> bool:
    return file_commands.feeds_changes(words) or file_commands.unpacks(words)


def walk_tree(tree: Tree) -> Iterator[Path | None]:
    """Yield the paths in the folder; at last None if there are too many."""
    count = 0
    for folder, folders, files in os.walk(tree.folder):
        if not tree.with_hidden:
            folders[:] = [name for name in folders if not name.startswith(".")]
        for name in (*folders, *files):
            count += 1
            if count > MAX_TREE:
                yield None
                return
            if tree.with_hidden or not name.startswith("."):
                yield Path(folder, name)


def _names_in(word: str) -> Iterator[str]:
    yield word
    yield from VALUE_SEPARATOR.split(word)[1:]
    # The value of an option may be glued to its letters.
    for end in range(2, min(len(word), 6)) if word[:1] == "-" != word[1:2] else ():
        yield word[end:]


def _folder_names(words: Words) -> Iterator[str]:
    if words[0] in MOVING:
        operands = [word for word in words[1:] if word not in ("--", "-P", "-L")]
        yield from operands[:1] or ["~"]
    for word, following in pairwise((*words[1:], "")):
        if found := FOLDER_OPTION.fullmatch(word):
            yield found["glued"] or found["long"] or following


def _expand_globs(paths: Iterator[Path]) -> Iterator[Path]:
    for path in paths:
        yield path
        if 0 < sum(map(glob.has_magic, path.parts)) <= MAX_GLOB_PARTS:
            # As a shell does it: a star stands for no dot at the beginning.
            matches = glob.iglob(str(path))  # noqa: PTH207
            yield from map(Path, islice(matches, MAX_GLOB_MATCHES))

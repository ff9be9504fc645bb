"""Walks the files that ripgrep would search: without hidden, ignored and excluded ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mini_agent.coding.tools.glob_pattern import compile_glob

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# The later overrule the earlier.
IGNORE_FILES: Final = (".gitignore", ".ignore", ".rgignore")
MAX_IGNORE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class NameFilter:
    """Globs as ripgrep's --glob takes them, relative to a folder; those with `!` exclude."""

    included: tuple[re.Pattern[str], ...]
    excluded: tuple[re.Pattern[str], ...]

    @classmethod
    def parse(cls, globs: Sequence[str]) -> NameFilter:
        """Parse globs; one without a slash is of names in any folder."""
        excluded = [glob[1:] for glob in globs if glob.startswith("!")]
        included = [glob for glob in globs if not glob.startswith("!")]
        return cls(tuple(map(_compile, included)), tuple(map(_compile, excluded)))

    def names(self, path: str) -> bool:
        """Return whether a file or folder is included by name, whatever ignores it."""
        return any(each.fullmatch(path) for each in self.included)

    def admits(self, path: str, *, is_folder: bool) -> bool:
        """Return whether a file is searched, or a folder entered."""
        if any(each.fullmatch(path) for each in self.excluded):
            return False
        return is_folder or not self.included or self.names(path)


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of one ignore file, for the files below `folder`."""

    folder: str
    spec: GitIgnoreSpec

    def decide(self, path: str) -> bool | None:
        """Return whether `path`, with a slash behind a folder, is ignored; None if not named."""
        return self.spec.check_file(path[len(self.folder) + 1 :]).include


@dataclass(frozen=True, slots=True)
class FileWalk:
    """Which files are walked; `with_all` are those too that are hidden or ignored."""

    names: NameFilter
    with_hidden: bool = False
    with_all: bool = False

    def files(self, folder: Path) -> Iterator[str]:
        """Yield absolute paths of regular files, sorted within each folder; no links."""
        root = str(folder).rstrip("/")
        pending = [(root, _outer_rules(folder))]
        while pending:
            inside, outer = pending.pop()
            rules = (*outer, *_read_rules(inside, in_git=_is_in_git(Path(inside))))
            entries = [entry for entry in _scan(inside) if self._admits(entry, root, rules)]
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield f"{inside}/{entry.name}"
            folders = (entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
            pending += [(f"{inside}/{name}", rules) for name in reversed([*folders])]

    def _admits(self, entry: os.DirEntry[str], root: str, rules: Sequence[_Rules]) -> bool:
        is_folder = entry.is_dir(follow_symlinks=False)
        relative = entry.path[len(root) + 1 :]
        if entry.name == ".git" or not self.names.admits(relative, is_folder=is_folder):
            return False
        if self.with_all or self.names.names(relative):
            return True
        if entry.name.startswith(".") and not self.with_hidden:
            return False
        return not _is_ignored(f"{entry.path}/" if is_folder else entry.path, rules)


def _compile(glob: str) -> re.Pattern[str]:
    anchored = glob.removesuffix("/")
    if "/" in anchored:
        return compile_glob(anchored.removeprefix("/"))
    return compile_glob(f"**/{anchored}")


def _outer_rules(folder: Path) -> tuple[_Rules, ...]:
    """Return the rules of the folders above, and the user's."""
    config = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    user_rules = _parse_rules(Path(config, "git", "ignore"), str(folder).rstrip("/"))
    rules = [*user_rules] if _is_in_git(folder) else []
    for above in reversed(folder.parents):
        rules += _read_rules(str(above).rstrip("/"), in_git=_is_in_git(above))
    # A folder that is ignored, but named as the one to search, is searched.
    return tuple(each for each in rules if not each.decide(f"{folder}/"))


def _is_in_git(folder: Path) -> bool:
    return any((each / ".git").exists() for each in (folder, *folder.parents))


def _read_rules(folder: str, *, in_git: bool) -> Iterator[_Rules]:
    if in_git:
        yield from _parse_rules(Path(folder, ".git", "info", "exclude"), folder)
    for name in IGNORE_FILES:
        if in_git or name != ".gitignore":
            yield from _parse_rules(Path(folder, name), folder)


def _parse_rules(path: Path, folder: str) -> Iterator[_Rules]:
    from pathspec import GitIgnoreSpec

    with suppress(OSError, ValueError):
        if path.is_file():
            with path.open("rb") as file:
                text = file.read(MAX_IGNORE_BYTES).decode("utf-8", "replace")
            yield _Rules(folder, GitIgnoreSpec.from_lines(text.splitlines()))


def _is_ignored(path: str, rules: Sequence[_Rules]) -> bool:
    decisions = (each.decide(path) for each in reversed(rules))
    return next((decision for decision in decisions if decision is not None), False)


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []

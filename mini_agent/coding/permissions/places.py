"""Where a command of a line may be: the folders, the files in them, and the repositories."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.request import STARTUP_NAMES, find_startup_names
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.text_file import is_file, is_folder, real_path
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.shell_line import Word

MAX_MATCHES: Final = 1000
MAX_FOLDERS: Final = 16
PACKED_SUFFIXES: Final = frozenset(
    {".gz", ".z", ".Z", ".tgz", ".taz", ".xz", ".lzma", ".txz", ".tlz", ".bz2", ".bz", ".tbz"}
    | {".tbz2", ".zst", ".tzst", ".lz4", ".lz", ".br"}
)


@dataclass(frozen=True, slots=True)
class Places:
    """The folders in which a command may be started."""

    context: ToolContext
    folders: tuple[Path, ...]

    @classmethod
    def start(cls, context: ToolContext) -> Places:
        """Return the folder that the shell is in."""
        return cls(context, (context.cwd,))

    def move(self, name: str, *, surely: bool) -> Places | None:
        """Return where cd leads; None if that is not known to be a folder inside the project."""
        there = tuple(folder for start in self.folders for folder in self._paths(start, name))
        known = all(is_folder(each) and self.context.contains(each) for each in there)
        folders = there if surely else tuple(dict.fromkeys((*self.folders, *there)))
        return replace(self, folders=folders) if known and len(folders) <= MAX_FOLDERS else None

    def holds(self, word: Word) -> bool:
        """Return whether the files of this name are in the project."""
        paths = self._files(word)
        return bool(paths) and all(map(self.context.contains, paths))

    def may_write(self, word: Word) -> bool:
        """Return whether they are in the project, not all of it, and start no commands."""
        paths = self._files(word)
        whole = {*self.context.folders}
        return self._are_writable(paths) and not any(real_path(path) in whole for path in paths)

    def starts_commands(self, word: Word) -> bool:
        """Return whether one of the files of this name starts commands."""
        paths = self._files(word)
        return any(name for path in paths for name in find_startup_names(path, self.context))

    def names_foreign_repository(self, word: Word) -> bool:
        """Return whether it is a folder with a repository that is not the project's."""
        forms = (word.text, f"{word.text}.git")
        there = (
            path for form in forms for each in self.folders for path in self._paths(each, form)
        )
        repositories = (each for each in there if is_folder(each) and _is_repository(each))
        return any(real_path(each) not in self._trusted for each in repositories)

    def may_copy(self, source: Word, target: Word) -> bool:
        """Return whether a copy at `target`, or in it, is such a file."""
        if source.may_split or source.expands or not self._are_writable(self._files(target)):
            return False
        name = Path(source.text).name
        inside = Word(f"{target.text}/{name}", f"{target.text}/{name}")
        copies = [folder / source.text for folder in self.folders]
        holding = (each / name for each in copies for name in STARTUP_NAMES)
        is_known = self._are_writable(self._files(inside))
        return is_known and not any(is_file(each) or is_folder(each) for each in holding)

    @property
    def has_foreign_repository(self) -> bool:
        """Return whether git may find a repository there that is not the project's.

        The configuration of one starts commands.
        """
        found = (_find_repository(folder, self.context) for folder in self.folders)
        return any(each is not None and each not in self._trusted for each in found)

    @property
    def _trusted(self) -> set[Path | None]:
        folders = self.context.folders
        return {*folders, *(_find_repository(folder, self.context) for folder in folders)}

    def _are_writable(self, paths: tuple[Path, ...]) -> bool:
        return bool(paths) and all(map(self._may_write, paths))

    def _may_write(self, path: Path) -> bool:
        # What is packed there may be unpacked beside it, by the name without the suffix.
        forms = (path, path.with_suffix("")) if path.suffix in PACKED_SUFFIXES else (path,)
        starts = (name for form in forms for name in find_startup_names(form, self.context))
        return self.context.contains(path) and not any(starts)

    def _files(self, word: Word) -> tuple[Path, ...]:
        """Return the files that the word may mean; none if that is not known."""
        if word.expands or word.has_braces:
            return ()
        found = (path for folder in self.folders for path in self._paths(folder, word.text))
        return tuple(each for path in found for each in _expand_glob(path, word))

    def _paths(self, folder: Path, name: str) -> Iterator[Path]:
        if name.startswith("~") and not name.startswith("~/") and name != "~":
            # Nothing in the project is called so.
            yield Path("/", name)
            return
        with suppress(RejectedCall):
            path = self.context.path(name)
            yield path if name.startswith("~") else folder / name


def _expand_glob(path: Path, word: Word) -> Iterator[Path]:
    yield path
    if word.is_glob:
        matches = glob.iglob(str(path), include_hidden=True)  # noqa: PTH207
        yield from map(Path, islice(matches, MAX_MATCHES))


def _is_repository(folder: Path) -> bool:
    is_bare = is_file(folder / "HEAD") and is_folder(folder / "objects")
    return is_bare or is_file(folder / ".git") or is_folder(folder / ".git")


def _find_repository(folder: Path, context: ToolContext) -> Path | None:
    real = real_path(folder)
    for each in (real, *real.parents):
        is_bare = is_file(each / "HEAD") and is_folder(each / "objects")
        if is_file(each / ".git") or is_folder(each / ".git"):
            return each
        if is_bare and each not in context.folders:
            return each
    return None

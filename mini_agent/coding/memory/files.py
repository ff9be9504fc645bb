"""Reads CLAUDE.md and AGENTS.md with their imports, for the project and folders inside it.

A memory file goes to the model without a question, so it is held to what the tool Read may do: a
regular file of the project, links followed, which no rule denies. The user's own files may lead
anywhere. Sizes and numbers are bounded, and each file that is refused or cut is a line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mini_agent.coding.text_source import FileRefused, find_root, list_files, read_source
from mini_agent.coding.tools.text_file import is_file, is_folder, real_path

MAX_IMPORT_DEPTH: Final = 5
MAX_CHARS: Final = 40_000
# Enough for MAX_CHARS in every encoding.
MAX_BYTES: Final = MAX_CHARS * 4
MAX_FILES: Final = 100
MAX_TOTAL_CHARS: Final = 400_000
# Names that are looked up, those of files that are not there included.
MAX_PATHS: Final = 2000
IMPORT_PATTERN: Final = re.compile(
    r"(?:^|(?<=\s))@(?P<path>(?:~/|\.{0,2}/)?[\w][\w./-]*|~/[\w./-]+)"
)
CODE_PATTERN: Final = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file and its text."""

    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class MemoryAccess:
    """What may be read: `denies` returns why a file is denied, or an empty text.

    `permits` tells whether a file outside of the project may be read, as one in a folder that was
    added or that an allow rule names.
    """

    denies: Callable[[Path], str] = lambda _path: ""
    permits: Callable[[Path], bool] = lambda _path: False


@dataclass(slots=True)
class Memory:
    """The files, in their order, and a line for each one that is refused or cut."""

    files: dict[Path, MemoryFile] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def load_memory(claude_home: Path, project: Path, access: MemoryAccess) -> Memory:
    """Read the user's files, then those from the outermost folder down to the project's.

    An AGENTS.md counts only in folders without a CLAUDE.md.
    """
    reader = _Reader(project, access)
    reader.read_all((claude_home / "CLAUDE.md",), None)
    reader.read_rules(claude_home, None)
    for folder in (*reversed(project.parents), project):
        # INVARIANT: a folder above the project brings its own files, and none of what they lead to.
        reader.read_all(_candidate_paths(folder), find_root(folder))
    if project / ".claude" != claude_home:
        reader.read_rules(project / ".claude", find_root(project))
    return reader.memory


def read_memory(claude_home: Path, project: Path) -> tuple[MemoryFile, ...]:
    """Read the same without permission rules, and without the lines."""
    return tuple(load_memory(claude_home, project, MemoryAccess()).files.values())


@dataclass
class NestedMemory:
    """The files in folders below `project`, each returned once."""

    project: Path
    access: MemoryAccess = field(default_factory=MemoryAccess)
    _known_folders: set[Path] = field(default_factory=set)

    def take_for_file(self, file_path: str) -> Memory:
        """Return the files that apply to `file_path` and were not returned before."""
        path = Path(self.project, file_path)
        if not path.is_relative_to(self.project) or ".." in path.parts:
            return Memory()
        parents = path.relative_to(self.project).parts[:-1]
        folders = [self.project.joinpath(*parents[: depth + 1]) for depth in range(len(parents))]
        new_folders = [folder for folder in folders if folder not in self._known_folders]
        self._known_folders.update(new_folders)
        return load_folder_memory(new_folders, self.project, self.access)


def load_folder_memory(folders: Sequence[Path], project: Path, access: MemoryAccess) -> Memory:
    """Read the files of these folders of the project, with imports."""
    reader = _Reader(project, access)
    for folder in folders:
        reader.read_all(_candidate_paths(folder), find_root(project))
    return reader.memory


def _candidate_paths(folder: Path) -> Iterator[Path]:
    own = [folder / "CLAUDE.md", folder / ".claude" / "CLAUDE.md"]
    has_own = any(os.path.exists(path) and not is_folder(path) for path in own)  # noqa: PTH110
    yield from own if has_own else (folder / "AGENTS.md",)
    yield folder / "CLAUDE.local.md"


@dataclass
class _Reader:
    """Reads files, each once, into `memory`; a `root` of None is the user's own folder."""

    project: Path
    access: MemoryAccess
    memory: Memory = field(default_factory=Memory)
    _seen: set[Path] = field(default_factory=set)
    _chars: int = 0
    _is_full: bool = False

    def read_all(self, paths: Iterable[Path], root: Path | None) -> None:
        for path in paths:
            self._read(path, root, 0)

    def read_rules(self, folder: Path, root: Path | None) -> None:
        rules = list_files(folder / "rules", ".md", MAX_FILES)
        if len(rules) > MAX_FILES:
            self._report(folder / "rules", f"it has more than {MAX_FILES} files", "read in part")
        self.read_all(rules[:MAX_FILES], root)

    def _read(self, path: Path, root: Path | None, depth: int) -> None:
        real = real_path(path)
        if real in self._seen or not self._has_room(path):
            return
        self._seen.add(real)
        try:
            text = self._read_text(path, root)
        except FileNotFoundError:
            return
        except FileRefused as refused:
            self._report(path, str(refused))
            return
        if text.strip():
            self._read_imports(path, text, root, depth)
            self.memory.files[path] = MemoryFile(path, text)

    def _read_imports(self, path: Path, text: str, root: Path | None, depth: int) -> None:
        if depth >= MAX_IMPORT_DEPTH:
            return
        for match in IMPORT_PATTERN.finditer(CODE_PATTERN.sub(" ", text)):
            imported = path.parent / Path(match["path"].rstrip(".")).expanduser()
            if not is_folder(imported):
                self._read(imported, root, depth + 1)

    def _read_text(self, path: Path, root: Path | None) -> str:
        if not os.path.lexists(path):
            raise FileNotFoundError(path)
        if reason := self.access.denies(path):
            raise FileRefused(reason)
        inside = None if root is None or self.access.permits(path) else (root, self._folder)
        source = read_source(path, inside, MAX_BYTES)
        text = source.text[:MAX_CHARS]
        self._chars += len(text)
        if not source.is_cut and text == source.text:
            return text
        self._report(path, f"it has {source.size} bytes", f"cut to {MAX_CHARS} characters")
        return f"{text}\n(cut here: the file has {source.size} bytes; Read shows the rest)"

    @property
    def _folder(self) -> Path:
        return real_path(self.project)

    def _has_room(self, path: Path) -> bool:
        has_files = len(self.memory.files) < MAX_FILES and len(self._seen) < MAX_PATHS
        if has_files and self._chars < MAX_TOTAL_CHARS:
            return True
        if not self._is_full and is_file(path):
            self._is_full = True
            self._report(path, f"{MAX_FILES} files or {MAX_TOTAL_CHARS} characters are the most")
        return False

    def _report(self, path: Path, why: str, how: str = "left out") -> None:
        self.memory.lines.append(f"memory: {path} is {how}: {why}")

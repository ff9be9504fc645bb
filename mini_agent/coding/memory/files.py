"""Reads CLAUDE.md and AGENTS.md with their imports, for the project and folders inside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MAX_IMPORT_DEPTH: Final = 5
MAX_CHARS: Final = 40_000
IMPORT_PATTERN: Final = re.compile(
    r"(?:^|(?<=\s))@(?P<path>(?:~/|\.{0,2}/)?[\w][\w./-]*|~/[\w./-]+)"
)
CODE_PATTERN: Final = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """A file and its text."""

    path: Path
    text: str


def read_memory(claude_home: Path, project: Path) -> tuple[MemoryFile, ...]:
    """Read the user's file, then those from the outermost folder down to the project's.

    An AGENTS.md counts only in folders without a CLAUDE.md.
    """
    rules = sorted((project / ".claude" / "rules").glob("*.md"))
    outer_first = (*reversed(project.parents), project)
    return _read((claude_home / "CLAUDE.md", *_candidate_paths(outer_first), *rules), project)


def read_folder_memory(folders: Sequence[Path], project: Path) -> tuple[MemoryFile, ...]:
    """Read the files of these folders of the project, with imports."""
    return _read(_candidate_paths(folders), project)


@dataclass
class NestedMemory:
    """The files in folders below `project`, each returned once."""

    project: Path
    _known_folders: set[Path] = field(default_factory=set)

    def take_for_file(self, file_path: str) -> tuple[MemoryFile, ...]:
        """Return the files that apply to `file_path` and were not returned before."""
        path = Path(self.project, file_path)
        if not path.is_relative_to(self.project):
            return ()
        parents = path.relative_to(self.project).parts[:-1]
        folders = [self.project.joinpath(*parents[: depth + 1]) for depth in range(len(parents))]
        new_folders = [folder for folder in folders if folder not in self._known_folders]
        self._known_folders.update(new_folders)
        return read_folder_memory(new_folders, self.project)


def _read(paths: Iterable[Path], project: Path) -> tuple[MemoryFile, ...]:
    memory_files: dict[Path, MemoryFile] = {}
    for path in paths:
        for memory_file in _read_with_imports(path, project, 0):
            memory_files.setdefault(memory_file.path, memory_file)
    return tuple(memory_files.values())


def _candidate_paths(folders: Iterable[Path]) -> Iterator[Path]:
    for folder in folders:
        own = [folder / "CLAUDE.md", folder / ".claude" / "CLAUDE.md"]
        has_own = any(path.is_file() for path in own)
        yield from own if has_own else (folder / "AGENTS.md",)
        yield folder / "CLAUDE.local.md"


def _read_with_imports(path: Path, project: Path, depth: int) -> Iterator[MemoryFile]:
    text = _read_text(path)
    if not text.strip():
        return
    if depth < MAX_IMPORT_DEPTH:
        for match in _find_imports(text):
            imported = (path.parent / match.expanduser()).resolve()
            if _is_import_allowed(imported, path, project):
                yield from _read_with_imports(imported, project, depth + 1)
    yield MemoryFile(path, text)


def _find_imports(text: str) -> Iterator[Path]:
    for match in IMPORT_PATTERN.finditer(CODE_PATTERN.sub(" ", text)):
        yield Path(match["path"].rstrip("."))


def _is_import_allowed(imported: Path, importing: Path, project: Path) -> bool:
    """Allow a project's file to import only from the project: no secrets of the user's."""
    if not imported.is_file():
        return False
    is_users_file = not importing.is_relative_to(project)
    return is_users_file or imported.is_relative_to(project.resolve())


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:MAX_CHARS]
    except OSError:
        return ""

"""What the calls of a session share: project, shell, files seen, locks, and dependencies."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.change import ApprovedChanges
from mini_agent.coding.tools.protocols import (
    Digester,
    PageFetcher,
    SearchEngine,
    TaskRunner,
    UserPrompter,
)
from mini_agent.coding.tools.shell import Shell
from mini_agent.coding.tools.text_file import real_path
from mini_agent.coding.tools.todo_list import TodoList
from mini_agent.errors import BadRequest
from mini_agent.tools.arguments import RejectedCall

NOT_READ: Final = "Error: File has not been read yet. Read it first before writing to it."
CHANGED_SINCE_READ: Final = (
    "Error: File has been changed since it was read, by the user or by a program. "
    "Read it again before writing to it."
)
# The limits of Linux and macOS.
MAX_NAME_BYTES: Final = 255
MAX_PATH_BYTES: Final = 4095


@dataclass(frozen=True, slots=True)
class FileStamp:
    """The metadata by which a change of a file is noticed without reading it."""

    modified_ns: int
    size: int
    inode: int

    @classmethod
    def from_status(cls, status: os.stat_result) -> FileStamp:
        """Return the stamp of a file with this status."""
        return cls(status.st_mtime_ns, status.st_size, status.st_ino)


@dataclass(slots=True)
class KnownFiles:
    """The files that the model has read or written, by their real paths."""

    _stamps: dict[Path, FileStamp] = field(default_factory=dict)

    def mark_seen(self, path: Path, status: os.stat_result | None = None) -> None:
        """Record that the model knows the file as it is now, or was at `status`."""
        self._stamps[real_path(path)] = FileStamp.from_status(status or path.stat())

    def is_known(self, path: Path) -> bool:
        """Return whether the file was read at all."""
        return real_path(path) in self._stamps

    def require_unchanged(self, path: Path, not_read: str = NOT_READ) -> None:
        """Raise `RejectedCall` if the file was not read (`not_read`), or has changed since."""
        known = self._stamps.get(real_path(path))
        if known is None:
            raise RejectedCall(not_read)
        if known != FileStamp.from_status(path.stat()):
            raise RejectedCall(CHANGED_SINCE_READ)


@dataclass(frozen=True, slots=True)
class FileLocks:
    """Write locks: calls of one turn, and subagents, run concurrently."""

    _locks: defaultdict[Path, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def for_file(self, path: Path) -> asyncio.Lock:
        """Return the lock of a file."""
        return self._locks[real_path(path)]


@dataclass(frozen=True, slots=True)
class ToolContext:
    """The project's folder and further folders, all real paths, and what the calls share.

    A subagent gets a copy with `files` and `todos` of its own (`dataclasses.replace`). Tools whose
    dependency is None are not offered. `excluded` are globs of absolute paths that searches leave
    out.
    """

    project: Path
    environment: Mapping[str, str]
    shell: Shell
    additional: tuple[Path, ...] = ()
    excluded: tuple[str, ...] = ()
    files: KnownFiles = field(default_factory=KnownFiles)
    locks: FileLocks = field(default_factory=FileLocks)
    approved_changes: ApprovedChanges = field(default_factory=ApprovedChanges)
    todos: TodoList = field(default_factory=TodoList)
    prompter: UserPrompter | None = None
    page_fetcher: PageFetcher | None = None
    search_engine: SearchEngine | None = None
    digester: Digester | None = None
    subagents: TaskRunner | None = None

    @classmethod
    def create(
        cls, project: Path, environment: Mapping[str, str], additional: tuple[Path, ...] = ()
    ) -> ToolContext:
        """Return a context with its shell in `project`; raise `BadRequest` if that is no folder."""
        if not project.is_dir():
            raise BadRequest(f"{project} is not a folder", hint="start in the project's folder")
        real, more = real_path(project), tuple(real_path(folder) for folder in additional)
        return cls(real, environment, Shell((real, *more), environment), more)

    @property
    def folders(self) -> tuple[Path, ...]:
        """Return the project's folder and the additional ones."""
        return (self.project, *self.additional)

    @property
    def cwd(self) -> Path:
        """Return the folder of the shell, where relative paths begin."""
        return self.shell.cwd

    @property
    def home(self) -> str:
        """Return the user's home folder."""
        return self.environment.get("HOME") or str(Path.home())

    def path(self, written: str) -> Path:
        """Return the path an argument means; raise `RejectedCall` if no file can be named so."""
        if "\0" in written:
            raise RejectedCall(f"Error: the path {written!r:.200} holds a NUL character.")
        path = Path(self.home, written[2:]) if written[:2] in ("~", "~/") else self.cwd / written
        try:
            named = os.fsencode(path)
        except UnicodeEncodeError:
            raise RejectedCall(f"Error: the path {written!a:.200} is no text.") from None
        if len(named) > MAX_PATH_BYTES or max(map(len, named.split(b"/"))) > MAX_NAME_BYTES:
            raise RejectedCall(f"Error: File name too long: {written:.200}")
        return path

    def contains(self, path: Path) -> bool:
        """Return whether `path`, links followed, is in one of the folders."""
        real = real_path(path)
        return any(real.is_relative_to(folder) for folder in self.folders)

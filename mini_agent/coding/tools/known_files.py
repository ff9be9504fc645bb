"""Which files the model has read, and how they were then."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from mini_agent.coding.tools.real_path import real_path
from mini_agent.tools.arguments import NotRun


@dataclass(frozen=True, slots=True)
class Stamp:
    """By what a change of a file is seen without reading it."""

    modified_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The stamp of a file with this status."""
        return cls(status.st_mtime_ns, status.st_size, status.st_ino)


@dataclass(slots=True)
class KnownFiles:
    """The files that were read or written, by their real paths."""

    _stamps: dict[Path, Stamp] = field(default_factory=dict)

    def saw(self, path: Path, status: os.stat_result | None = None) -> None:
        """The model has seen the file, or what has changed in it."""
        self._stamps[real_path(path)] = Stamp.of(status or path.stat())

    def knows(self, path: Path) -> bool:
        """Whether the file was read at all."""
        return real_path(path) in self._stamps

    def require_fresh(self, path: Path) -> None:
        """`NotRun` for a file that is not known as it is now."""
        known = self._stamps.get(real_path(path))
        if known is None:
            raise NotRun("Error: File has not been read yet.\nRead it first before writing to it.")
        if known != Stamp.of(path.stat()):
            raise NotRun(
                "Error: File has been changed since it was read, by the user or by a program.\n"
                "Read it again before writing to it."
            )


@dataclass(frozen=True, slots=True)
class FileLocks:
    """Locks for those who write: calls of one turn, and agents, work side by side."""

    _locks: defaultdict[Path, asyncio.Lock] = field(
        default_factory=lambda: defaultdict(asyncio.Lock)
    )

    def of(self, path: Path) -> asyncio.Lock:
        """Held by whoever writes the file."""
        return self._locks[real_path(path)]

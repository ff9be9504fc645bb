"""Detects files changed by others since the model saw them, and background jobs that ended."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.shell import BackgroundJob, Shell
from mini_agent.events import Event, ToolFinished
from mini_agent.result import ToolInvocation

MAX_FILE_BYTES: Final = 256 * 1024
CONTEXT_LINES: Final = 8
MAX_LINES: Final = 200
FILE_TOOLS: Final = frozenset({"Read", "Write", "Edit", "MultiEdit"})
READ_ONLY_TOOLS: Final = frozenset({"Grep", "Glob", "LS", "WebFetch", "WebSearch", "TodoWrite"})


@dataclass(frozen=True, slots=True)
class FileChange:
    """A changed file, with the changed parts as numbered lines."""

    path: Path
    hunks: str


@dataclass
class FileSnapshots:
    """The texts of files as the model last read or wrote them.

    They are refreshed after each of the model's own calls, so that only changes between turns
    are attributed to others.
    """

    _texts: dict[Path, str | None] = field(default_factory=dict)

    def record(self, path: Path) -> None:
        """Take a snapshot of `path`."""
        self._texts[path] = _read_text(path)

    def refresh(self) -> None:
        """Take new snapshots of all known files."""
        for path in self._texts:
            self.record(path)

    def take_changes(self) -> list[FileChange]:
        """Return each change once; missing and too large files have none."""
        return list(self._changed(tuple(self._texts)))

    def _changed(self, paths: Iterable[Path]) -> Iterator[FileChange]:
        for path in paths:
            before, now = self._texts[path], _read_text(path)
            if before is None or now is None or before == now:
                continue
            self._texts[path] = now
            yield FileChange(path, _format_hunks(before, now))


@dataclass(frozen=True, slots=True)
class FileTracker:
    """Updates the snapshots after tool calls; `resolve_path` makes a tool's path absolute."""

    snapshots: FileSnapshots
    resolve_path: Callable[[str], Path]

    def on_event(self, event: Event) -> None:
        """Record what a call has read or changed."""
        if isinstance(event, ToolFinished):
            self._finished(event.invocation)

    def _finished(self, call: ToolInvocation) -> None:
        path = call.arguments.get("file_path")
        if call.name in FILE_TOOLS and isinstance(path, str):
            if call.ok:
                self.snapshots.record(self.resolve_path(path))
        elif call.name not in READ_ONLY_TOOLS:
            # Any other tool may have changed any file on the model's behalf.
            self.snapshots.refresh()


@dataclass
class EndedJobTracker:
    """The background jobs of `shell` that ended; those that the model stopped do not count."""

    shell: Shell
    _reported: set[str] = field(default_factory=set)

    def take_new(self) -> list[BackgroundJob]:
        """Return the jobs that were not returned before."""
        ended = [job for job in self.shell.jobs.values() if job.rc is not None]
        new = [job for job in ended if job.id not in self._reported and not job.was_stopped]
        self._reported.update(job.id for job in ended)
        return new


def _read_text(path: Path) -> str | None:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _format_hunks(before: str, now: str) -> str:
    old, new = before.splitlines(), now.splitlines()
    lines: list[str] = []
    for group in difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(
        CONTEXT_LINES
    ):
        first, last = group[0][3], group[-1][4]
        lines += [f"{number + 1:5}→{new[number]}" for number in range(first, last)]
        lines.append("...")
    shown = lines[:MAX_LINES]
    return "\n".join(shown[:-1] if shown and shown[-1] == "..." else shown)

"""What a call would make of a file, before it is made."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from mini_agent.coding.tools.asked import Asked
from mini_agent.coding.tools.known_files import KnownFiles
from mini_agent.coding.tools.text_file import TextFile
from mini_agent.coding.tools.workplace import Workplace
from mini_agent.coding.tools.written_file import write_file


@dataclass(frozen=True, slots=True)
class Change:
    """A file, and what it holds before and after; `before` is None for a new one."""

    path: Path
    before: TextFile | None
    after: TextFile

    def diff(self) -> str:
        """The change as a unified diff."""
        old = self.before.shown if self.before is not None else ""
        lines = difflib.unified_diff(
            old.split("\n"),
            self.after.shown.split("\n"),
            str(self.path) if self.before is not None else "/dev/null",
            str(self.path),
            lineterm="",
        )
        return "\n".join(lines)

    def make(self, files: KnownFiles) -> None:
        """Writes the file, which the model then knows."""
        write_file(self.path, self.after.content())
        files.saw(self.path)


class Changing(Asked):
    """The arguments of a tool that changes one file."""

    def path(self, at: Workplace) -> Path:
        """The file."""
        raise NotImplementedError

    def paths(self, at: Workplace) -> tuple[Path, ...]:
        """The file."""
        return (self.path(at),)

    def change(self, at: Workplace) -> Change:
        """What it would do; `NotRun` says why it cannot."""
        raise NotImplementedError

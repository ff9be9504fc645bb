"""A change of a file, and the changes that the user has approved."""

from __future__ import annotations

import difflib
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.text_file import TextFile, read_text_file, write_file
from mini_agent.tools.arguments import RejectedCall

CHANGED_SINCE_SHOWN: Final = (
    "Error: File has been changed since the user was shown what would be done to it.\n"
    "Read it again before writing to it."
)


@dataclass(frozen=True, slots=True)
class Change:
    """The content of a file before and after; `before` is None for a new file."""

    path: Path
    before: TextFile | None
    after: TextFile

    def diff(self) -> str:
        """Return the change as a unified diff."""
        old = self.before.normalized if self.before is not None else ""
        lines = difflib.unified_diff(
            old.split("\n"),
            self.after.normalized.split("\n"),
            str(self.path) if self.before is not None else "/dev/null",
            str(self.path),
            lineterm="",
        )
        return "\n".join(lines)

    def require_current(self, path: Path) -> None:
        """Raise `RejectedCall` if `path` is another file or no longer has the content `before`."""
        now = read_text_file(path) if path.exists() else None
        if path != self.path or now != self.before:
            raise RejectedCall(CHANGED_SINCE_SHOWN)

    def apply(self) -> None:
        """Write the file."""
        write_file(self.path, self.after.encode())


@dataclass(frozen=True, slots=True)
class ApprovedChanges:
    """Changes the user was shown and approved, by the call's arguments, until they are made."""

    _changes: dict[Hashable, Change] = field(default_factory=dict)

    def add(self, key: Hashable, change: Change) -> None:
        """Record an approved change."""
        self._changes[key] = change

    def take(self, key: Hashable) -> Change | None:
        """Remove and return the approved change of a call; None if there is none."""
        return self._changes.pop(key, None)

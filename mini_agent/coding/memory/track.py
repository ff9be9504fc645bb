"""Which files the model's own calls have shown it, so that only others' changes are told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.coding.memory.file_changes import SeenFiles
from mini_agent.events import Event, ToolFinished
from mini_agent.result import ToolInvocation

SHOWING: Final = frozenset({"Read", "Write", "Edit", "MultiEdit"})
HARMLESS: Final = frozenset({"Grep", "Glob", "LS", "WebFetch", "WebSearch", "TodoWrite"})


@dataclass(frozen=True, slots=True)
class Track:
    """Listens to runs; `resolved` makes a tool's path a real one."""

    seen: SeenFiles
    resolved: Callable[[str], Path]

    def hear(self, event: Event) -> None:
        """Takes note of what a call has shown or changed."""
        if isinstance(event, ToolFinished):
            self._finished(event.invocation)

    def _finished(self, call: ToolInvocation) -> None:
        path = call.arguments.get("file_path")
        if call.name in SHOWING and isinstance(path, str):
            if call.ok:
                self.seen.see(self.resolved(path))
        elif call.name not in HARMLESS:
            # A command may have changed anything, on the model's behalf.
            self.seen.see_again()

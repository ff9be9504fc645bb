"""CLAUDE.md and AGENTS.md of folders inside the project, told once the model comes there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mini_agent.coding.memory.files import Memory, memories_of


@dataclass
class NestedMemory:
    """Those below `project`; what is in its own folder and above is told with the first prompt."""

    project: Path
    _seen: set[Path] = field(default_factory=set)

    def told_at(self, named: str) -> tuple[Memory, ...]:
        """What holds for the file that a tool was given, as far as it was not told before."""
        path = Path(self.project, named)
        if not path.is_relative_to(self.project):
            return ()
        inside = path.relative_to(self.project).parts[:-1]
        folders = [self.project.joinpath(*inside[: depth + 1]) for depth in range(len(inside))]
        new = [folder for folder in folders if folder not in self._seen]
        self._seen.update(new)
        return memories_of(new, self.project)

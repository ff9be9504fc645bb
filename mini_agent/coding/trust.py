"""Whether a project's own files may start commands: only when the user has said so."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.errors import MiniAgentError

FILE: Final = "mini-agent-trusted.json"


@dataclass(frozen=True, slots=True)
class Trust:
    """The folders that are trusted, a file in the user's own .claude folder."""

    claude_home: Path

    def has(self, project: Path) -> bool:
        """Whether `project`, or a folder around it, is trusted."""
        trusted = self._folders()
        return any(str(folder) in trusted for folder in (project, *project.parents))

    def add(self, project: Path) -> None:
        """From now on it is."""
        folders = sorted({*self._folders(), str(project)})
        try:
            self.claude_home.mkdir(parents=True, exist_ok=True)
            (self.claude_home / FILE).write_text(json.dumps(folders, indent=2) + "\n")
        except OSError as unwritable:
            raise MiniAgentError(
                f"{self.claude_home / FILE} cannot be written: {unwritable.strerror}"
            ) from unwritable

    def _folders(self) -> set[str]:
        try:
            read = json.loads((self.claude_home / FILE).read_text())
        except (OSError, ValueError):
            return set()
        return {str(folder) for folder in read} if isinstance(read, list) else set()

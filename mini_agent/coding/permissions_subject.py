"""What a call touches: what rules of permission are held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mini_agent.coding.tools.asked import Asked
from mini_agent.coding.tools.bash import Bash
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.change import Changing
from mini_agent.coding.tools.real_path import real_path
from mini_agent.coding.tools.workplace import Workplace
from mini_agent.messages import JsonObject

# What is written there is a command that starts later, or says which ones may.
STARTS_COMMANDS: Final = (".git", ".claude", ".mcp.json", ".vscode", ".idea", ".husky", ".envrc")


@dataclass(frozen=True, slots=True)
class Subject:
    """One call: `asked` is None for a tool of others, whose arguments mean nothing to us.

    `paths` are the files and folders it reads or writes.
    """

    tool: str
    arguments: JsonObject
    at: Workplace
    asked: Asked | None
    paths: tuple[Path, ...] = ()

    @property
    def changes_files(self) -> bool:
        """Whether it writes."""
        return isinstance(self.asked, Changing)

    @property
    def only_reads(self) -> bool:
        """Whether it leaves everything as it is."""
        return self.asked is not None and self.asked.only_reads

    @property
    def stays_here(self) -> bool:
        """Whether nobody hears of it, and nothing is read that is not the assistant's to read."""
        return self.asked is not None and not self.asked.reaches_out and self.is_inside

    @property
    def is_inside(self) -> bool:
        """Whether it stays in the workplace, and writes nothing there that starts commands."""
        return all(self.at.holds(path) and not self._starts_commands(path) for path in self.paths)

    @property
    def command(self) -> str | None:
        """The line for the shell."""
        return self.asked.command if isinstance(self.asked, Bash) else None

    @property
    def host(self) -> str:
        """Whose page is fetched."""
        url = self.arguments.get("url")
        try:
            return (urlsplit(url).hostname or "").lower() if isinstance(url, str) else ""
        except ValueError:
            return ""

    def _starts_commands(self, path: Path) -> bool:
        if not self.changes_files:
            return False
        real = real_path(path)
        return any(
            part in STARTS_COMMANDS
            for folder in self.at.folders
            if real.is_relative_to(folder)
            for part in real.relative_to(folder).parts
        )


def subject_of(tool: str, arguments: JsonObject, at: Workplace) -> Subject:
    """The subject of a call; `ValidationError` or `NotRun` for what the tool does not take."""
    if tool not in TOOLS:
        return Subject(tool, arguments, at, None)
    asked = TOOLS[tool].model_validate(arguments)
    return Subject(tool, arguments, at, asked, asked.paths(at))

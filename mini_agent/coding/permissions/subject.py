"""What a call touches: what rules of permission are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mini_agent.coding.tools.base import Asked, Changing
from mini_agent.coding.tools.bash import Bash
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.real_path import real_path
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.messages import JsonObject

# What is written there is a command that starts later, or says which ones may.
STARTS_COMMANDS: Final = frozenset(
    {".git", ".claude", ".mcp.json", ".vscode", ".idea", ".husky", ".envrc", ".gitconfig"}
    | {".gitmodules", ".bashrc", ".bash_profile", ".profile", ".zshrc", ".zprofile", ".zshenv"}
)
# Whoever looks a name up takes them for one.
DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")


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
        return all(map(self.at.holds, self.paths)) and not self.startup_names

    @property
    def startup_names(self) -> frozenset[str]:
        """Those of `STARTS_COMMANDS` that it would write to."""
        if not self.changes_files:
            return frozenset()
        return frozenset(name for path in self.paths for name in self._startup_names(path))

    @property
    def command(self) -> str | None:
        """The line for the shell."""
        return self.asked.command if isinstance(self.asked, Bash) else None

    @property
    def host(self) -> str:
        """Whose page is fetched."""
        url = self.arguments.get("url")
        try:
            host = urlsplit(url).hostname if isinstance(url, str) else ""
            return (host or "").lower().translate(DOTS).rstrip(".")
        except ValueError:
            return ""

    def _startup_names(self, path: Path) -> Iterator[str]:
        real = real_path(path)
        for folder in self.at.folders:
            for form in (path.absolute(), real):
                if form.is_relative_to(folder):
                    parts = {part.lower() for part in form.relative_to(folder).parts}
                    yield from STARTS_COMMANDS & parts
            # A name that is a link may lead to a folder of another name.
            named = ((name, real_path(folder / name)) for name in STARTS_COMMANDS)
            yield from (name for name, leads in named if real.is_relative_to(leads))


def subject_of(tool: str, arguments: JsonObject, at: Workplace) -> Subject:
    """The subject of a call; `ValidationError` or `NotRun` for what the tool does not take."""
    if tool not in TOOLS:
        return Subject(tool, arguments, at, None)
    asked = TOOLS[tool].model_validate(arguments)
    return Subject(tool, arguments, at, asked, asked.paths(at))

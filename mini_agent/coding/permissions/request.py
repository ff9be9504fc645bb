"""A tool call as permissions see it: its arguments, and the files and hosts it touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mini_agent.coding.tools.bash import Bash
from mini_agent.coding.tools.catalog import TOOLS
from mini_agent.coding.tools.coding_tool import CodingTool, FileEditTool
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.text_file import real_path
from mini_agent.messages import JsonObject

# Files of these names start commands later, or say which commands may start.
STARTUP_NAMES: Final = frozenset(
    {".git", ".claude", ".mcp.json", ".vscode", ".idea", ".husky", ".envrc", ".gitconfig"}
    | {".gitmodules", ".bashrc", ".bash_profile", ".profile", ".zshrc", ".zprofile", ".zshenv"}
)
# Full stops of other scripts: the resolver of host names takes each for a dot.
UNICODE_DOTS: Final = str.maketrans("\u3002\uff0e\uff61", "...")


@dataclass(frozen=True, slots=True)
class PermissionRequest:
    """One call; `tool` is None for a foreign tool, whose arguments we cannot interpret.

    `paths` are the files and folders the call reads or writes.
    """

    tool_name: str
    arguments: JsonObject
    context: ToolContext
    tool: CodingTool | None
    paths: tuple[Path, ...] = ()

    @property
    def changes_files(self) -> bool:
        """Return whether the call writes a file."""
        return isinstance(self.tool, FileEditTool)

    @property
    def is_read_only(self) -> bool:
        """Return whether the call changes nothing."""
        return self.tool is not None and self.tool.is_read_only

    @property
    def is_local(self) -> bool:
        """Return whether the call sends nothing outside and touches only the project's files."""
        return self.tool is not None and not self.tool.is_open_world and self.is_inside

    @property
    def is_inside(self) -> bool:
        """Return whether all paths are in the folders, and none starts commands when written."""
        return all(map(self.context.contains, self.paths)) and not self.startup_names

    @property
    def startup_names(self) -> frozenset[str]:
        """Return the names of `STARTUP_NAMES` that the call would write to."""
        if not self.changes_files:
            return frozenset()
        return frozenset(
            name for path in self.paths for name in find_startup_names(path, self.context)
        )

    @property
    def command(self) -> str | None:
        """Return the command line of a Bash call, else None."""
        return self.tool.command if isinstance(self.tool, Bash) else None

    @property
    def host(self) -> str:
        """Return the host whose page is fetched, in lower case; empty if there is none."""
        url = self.arguments.get("url")
        try:
            host = urlsplit(url).hostname if isinstance(url, str) else ""
            return (host or "").lower().translate(UNICODE_DOTS).rstrip(".")
        except ValueError:
            return ""


def find_startup_names(path: Path, context: ToolContext) -> Iterator[str]:
    """Yield the names of `STARTUP_NAMES` that the path leads to or through."""
    real = real_path(path)
    for folder in context.folders:
        for form in (path.absolute(), real):
            if form.is_relative_to(folder):
                parts = {part.lower() for part in form.relative_to(folder).parts}
                yield from STARTUP_NAMES & parts
        # Such a name may be a link to a folder of another name.
        named = ((name, real_path(folder / name)) for name in STARTUP_NAMES)
        yield from (name for name, leads in named if real.is_relative_to(leads))


def parse_request(tool_name: str, arguments: JsonObject, context: ToolContext) -> PermissionRequest:
    """Check the arguments; raise `ValidationError` or `RejectedCall` if the tool refuses."""
    if tool_name not in TOOLS:
        return PermissionRequest(tool_name, arguments, context, None)
    checked = TOOLS[tool_name].model_validate(arguments)
    return PermissionRequest(tool_name, arguments, context, checked, checked.paths(context))

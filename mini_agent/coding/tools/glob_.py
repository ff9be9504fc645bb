"""The tool Glob."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.base import Asked, Call, said
from mini_agent.coding.tools.glob import NEWEST, FileList
from mini_agent.coding.tools.glob_pattern import fixed_part
from mini_agent.coding.tools.real_path import real_path
from mini_agent.coding.tools.ripgrep import reminder
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

NONE: Final = "No files found\n"
CUT: Final = "(Results are truncated. Consider using a more specific path or pattern.)\n"


class Glob(Asked):
    """A search for names."""

    says: ClassVar[str] = (
        "Find files by their names: **/*.py, src/**/*.{ts,tsx}. The newest first, at most 100. "
        "Names that begin with a dot have to be named with it."
    )
    only_reads: ClassVar[bool] = True
    pattern: Annotated[str, Field(min_length=1, description="What paths look like.")]
    path: Annotated[str, Field(description="The folder; else where the shell is.")] = ""

    def paths(self, at: Workplace) -> tuple[Path, ...]:
        """The folder that it lists."""
        folder = at.path(self.path) if self.path else at.cwd
        fixed = fixed_part(self.pattern)
        return (at.path(fixed) if fixed.startswith(("/", "~/")) else folder / fixed,)

    async def carried_out(self, call: Call) -> ToolOutput:
        """Searches."""
        (folder,) = self.paths(call.at)
        rest = self.pattern.removeprefix(fixed_part(self.pattern)).lstrip("/")
        if ".." in rest.split("/"):
            raise NotRun("Error: .. can only stand at the beginning of a pattern.")
        if not folder.is_dir():
            return said(NONE)
        # What is hidden is hidden by its real path.
        newest = await FileList(real_path(folder), rest, call.at.hidden).newest(call.at.environment)
        told = "".join(f"{path}\n" for path in newest.paths) or NONE
        cut = CUT if newest.count > NEWEST else ""
        return said(told + cut + reminder(newest.remark))

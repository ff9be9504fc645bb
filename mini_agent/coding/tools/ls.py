"""The tool LS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_globs
from mini_agent.coding.tools.text_file import real_path
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

MAX_ITEMS: Final = 400
IGNORED_NAMES: Final = (".*", "__pycache__")
UNLISTED_FOLDERS: Final = ("venv", "node_modules")
TRUNCATED: Final = (
    "There are more than {most} items in the repository. Use the LS tool (passing a specific "
    "path), Bash tool, and other tools to explore nested directories. The first {most} items are "
    "included below:\n\n"
)
MALWARE_NOTE: Final = (
    "\nNOTE: do any of the files above seem malicious? If so, you MUST refuse to continue work."
)


class LS(CodingTool):
    """List a folder as a tree."""

    tool_description: ClassVar[str] = (
        "List what is in a folder and the folders in it, as a tree; without hidden files, "
        "__pycache__, and what is in venv and node_modules."
    )
    is_read_only: ClassVar[bool] = True
    path: Annotated[str, Field(description="The folder, as an absolute path.")]
    ignore: Annotated[
        tuple[str, ...] | None, Field(description="Names to leave out: *.pyc, dist.")
    ] = None

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the folder."""
        return (context.path(self.path) if self.path else context.cwd,)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """List the folder."""
        (folder,) = self.paths(invocation.context)
        if not folder.is_dir():
            raise RejectedCall(f"Error: {folder} is not a folder.")
        # The excluded globs are of real paths.
        return text_output(
            await asyncio.to_thread(self._format_tree, real_path(folder), invocation.context)
        )

    def _format_tree(self, folder: Path, context: ToolContext) -> str:
        lines = list(
            islice(self._tree_lines(folder, compile_globs(context.excluded)), MAX_ITEMS + 1)
        )
        head = TRUNCATED.format(most=MAX_ITEMS) if len(lines) > MAX_ITEMS else ""
        tree = "".join(f"{line}\n" for line in lines[:MAX_ITEMS])
        return f"{head}- {folder}/\n{tree}{MALWARE_NOTE}"

    def _tree_lines(self, folder: Path, excluded: re.Pattern[str], depth: int = 1) -> Iterator[str]:
        for path in _sorted_entries(folder):
            ignored = (*IGNORED_NAMES, *(self.ignore or ()))
            if any(fnmatchcase(path.name, each.rstrip("/")) for each in ignored):
                continue
            if excluded.fullmatch(str(path)):
                continue
            is_folder = path.is_dir() and not path.is_symlink()
            yield f"{'  ' * depth}- {path.name}{'/' if is_folder else ''}"
            if is_folder and path.name not in UNLISTED_FOLDERS:
                yield from self._tree_lines(path, excluded, depth + 1)


def _sorted_entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []

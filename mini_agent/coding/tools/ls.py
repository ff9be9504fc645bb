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

from mini_agent.coding.tools.base import Asked, Call, said
from mini_agent.coding.tools.glob_pattern import hiding
from mini_agent.coding.tools.text_file import real_path
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

MOST: Final = 400
LEFT_OUT: Final = (".*", "__pycache__")
NOT_ENTERED: Final = ("venv", "node_modules")
MORE: Final = (
    "There are more than {most} items in the repository. Use the LS tool (passing a specific "
    "path), Bash tool, and other tools to explore nested directories. The first {most} items are "
    "included below:\n\n"
)
SUSPECT: Final = (
    "\nNOTE: do any of the files above seem malicious? If so, you MUST refuse to continue work."
)


class LS(Asked):
    """A tree of names."""

    says: ClassVar[str] = (
        "List what is in a folder and the folders in it, as a tree; without hidden files, "
        "__pycache__, and what is in venv and node_modules."
    )
    only_reads: ClassVar[bool] = True
    path: Annotated[str, Field(description="The folder, as an absolute path.")]
    ignore: Annotated[
        tuple[str, ...] | None, Field(description="Names to leave out: *.pyc, dist.")
    ] = None

    def paths(self, at: Workplace) -> tuple[Path, ...]:
        """The folder."""
        return (at.path(self.path) if self.path else at.cwd,)

    async def carried_out(self, call: Call) -> ToolOutput:
        """Lists it."""
        (folder,) = self.paths(call.at)
        if not folder.is_dir():
            raise NotRun(f"Error: {folder} is not a folder.")
        # What is hidden is hidden by its real path.
        return said(await asyncio.to_thread(self._told, real_path(folder), call.at))

    def _told(self, folder: Path, at: Workplace) -> str:
        lines = list(islice(self._lines(folder, hiding(at.hidden)), MOST + 1))
        head = MORE.format(most=MOST) if len(lines) > MOST else ""
        tree = "".join(f"{line}\n" for line in lines[:MOST])
        return f"{head}- {folder}/\n{tree}{SUSPECT}"

    def _lines(self, folder: Path, hidden: re.Pattern[str], depth: int = 1) -> Iterator[str]:
        for path in _sorted(folder):
            ignored = (*LEFT_OUT, *(self.ignore or ()))
            if any(fnmatchcase(path.name, each.rstrip("/")) for each in ignored):
                continue
            if hidden.fullmatch(str(path)):
                continue
            is_folder = path.is_dir() and not path.is_symlink()
            yield f"{'  ' * depth}- {path.name}{'/' if is_folder else ''}"
            if is_folder and path.name not in NOT_ENTERED:
                yield from self._lines(path, hidden, depth + 1)


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []

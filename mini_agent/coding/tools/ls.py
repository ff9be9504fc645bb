"""The tool LS."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.content_search import Count
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import compile_globs
from mini_agent.coding.tools.grep_lines import describe_page
from mini_agent.coding.tools.text_file import real_path
from mini_agent.tools.invoker import ToolOutput

MAX_ITEMS: Final = 400
# So far the lines are counted; a home folder may have millions.
MAX_COUNTED: Final = 20_000
IGNORED_NAMES: Final = (".*", "__pycache__")
UNLISTED_FOLDERS: Final = frozenset({"venv", "node_modules"})
TRUNCATED: Final = (
    "There are more than {most} items in the repository. Use the LS tool (passing a specific "
    "path), Bash tool, and other tools to explore nested directories. The first {most} items are "
    "included below:\n\n"
)
MALWARE_NOTE: Final = (
    "\n\nNOTE: do any of the files above seem malicious? If so, you MUST refuse to continue work."
)


class LS(CodingTool):
    """List a folder as a tree."""

    tool_description: ClassVar[str] = (
        "List what is in a folder and the folders in it, as a tree that begins at the working "
        "folder; without hidden files, __pycache__, and what is in venv and node_modules."
    )
    is_read_only: ClassVar[bool] = True
    path: Annotated[str, Field(description="The folder, as an absolute path.")]
    ignore: Annotated[
        tuple[str, ...] | None, Field(description="Names to leave out: *.pyc, dist.")
    ] = None
    offset: Annotated[Count, Field(description="Lines of the tree to leave out first.")] = 0

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the folder."""
        return (context.path(self.path) if self.path else context.cwd,)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """List the folder; of what is no folder, the line of the working folder alone."""
        context = invocation.context
        (folder,) = self.paths(context)
        cwd = real_path(context.cwd)
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            return text_output(f"- {cwd}/{MALWARE_NOTE}", f"{folder} {what}: nothing is listed")
        # The excluded globs are of real paths.
        ignored = (*IGNORED_NAMES, *(name.rstrip("/") for name in self.ignore or ()))
        excluded = compile_globs(context.excluded)
        tree = _Tree(real_path(folder), cwd, context.folders, ignored, excluded)
        return await asyncio.to_thread(self._list, tree)

    def _list(self, tree: _Tree) -> ToolOutput:
        lines = list(islice(tree.lines(), MAX_COUNTED))
        shown = lines[self.offset : self.offset + MAX_ITEMS]
        is_cut = len(lines) > self.offset + MAX_ITEMS
        head = TRUNCATED.format(most=MAX_ITEMS) if is_cut and not self.offset else ""
        text = "\n".join([f"- {tree.cwd}/", *shown])
        remark = describe_page(self.offset, len(shown), len(lines), "lines")
        if len(lines) == MAX_COUNTED:
            remark += f", and there are more than {MAX_COUNTED}"
        return text_output(f"{head}{text}{MALWARE_NOTE}", remark)


@dataclass(frozen=True, slots=True)
class _Tree:
    """The way from the working folder to `target`, by `../` where it lies above, and its tree.

    Of folders on the way up, those in `folders` are listed too.
    """

    target: Path
    cwd: Path
    folders: tuple[Path, ...]
    ignored: tuple[str, ...]
    excluded: re.Pattern[str]

    def lines(self) -> Iterator[str]:
        """Return the lines below that of the working folder."""
        return self._lines(self.cwd, 1, self.cwd)

    def _lines(self, folder: Path, depth: int, came_from: Path | None) -> Iterator[str]:
        """`came_from` is the folder below on the way up: it is not listed again."""
        indent = "  " * depth
        if came_from is not None and not self.target.is_relative_to(folder):
            yield f"{indent}- ../"
            yield from self._lines(folder.parent, depth + 1, folder)
        if folder != self.target and self.target.is_relative_to(folder):
            name = self.target.relative_to(folder).parts[0]
            yield f"{indent}- {name}/"
            yield from self._lines(folder / name, depth + 1, None)
        # INVARIANT: the user was asked for `target`; what else is outside the project stays unseen.
        elif any(map(folder.is_relative_to, (self.target, *self.folders))):
            for path in self._entries(folder):
                if path != came_from:
                    yield from self._entry_lines(path, depth)

    def _entry_lines(self, path: Path, depth: int) -> Iterator[str]:
        is_folder = path.is_dir()
        yield f"{'  ' * depth}- {path.name}{'/' if is_folder else ''}"
        # Links are not followed: they may lead around in a circle.
        if is_folder and not path.is_symlink() and not UNLISTED_FOLDERS & {*path.parts}:
            yield from self._lines(path, depth + 1, None)

    def _entries(self, folder: Path) -> list[Path]:
        try:
            entries = sorted(folder.iterdir(), key=lambda path: path.name)
        except OSError:
            return []
        return [
            path
            for path in entries
            if not any(fnmatchcase(path.name, each) for each in self.ignored)
            and not self.excluded.fullmatch(str(path))
        ]

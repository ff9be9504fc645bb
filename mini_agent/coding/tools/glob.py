"""The tool Glob: the newest files whose paths match a pattern, by ripgrep or a walk of our own."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import nlargest
from pathlib import Path
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mini_agent.coding.tools.coding_tool import CodingTool, Invocation, text_output
from mini_agent.coding.tools.content_search import Count
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import (
    compile_globs,
    expand_braces,
    fixed_prefix,
    split_list,
)
from mini_agent.coding.tools.grep_lines import describe_page
from mini_agent.coding.tools.ripgrep import RipgrepResult, find_ripgrep, run_ripgrep
from mini_agent.coding.tools.text_file import real_path
from mini_agent.tools.arguments import RejectedCall
from mini_agent.tools.invoker import ToolOutput

MAX_RESULTS: Final = 100
# Globs that rg reads as we do; only these are passed to it.
RIPGREP_GLOB: Final = re.compile(r"[\w*?./ -]+")
# Globs for which the list of rg needs no second match.
EXACT_IN_RIPGREP: Final = re.compile(r"(?:(?:\*\*|\w[\w.-]*)/)*(?!$)(?:\w[\w.-]*)?\*?[\w.-]*")
NO_FILES: Final = "No files found\n"
TRUNCATED: Final = "(Results are truncated. Consider using a more specific path or pattern.)\n"


@dataclass(frozen=True, slots=True)
class NewestFiles:
    """Absolute paths, newest first; `count` is the number of all matches.

    `remark` says why some were not found.
    """

    paths: tuple[str, ...]
    count: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class FileSearch:
    """The files in `folder` that match one of `globs`, relative to it, without excluded ones.

    The first `offset` are left out. Links are not followed. A name that begins with a dot matches
    only a pattern with that dot.
    """

    folder: Path
    globs: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    offset: int = 0

    async def find_newest(self, environment: Mapping[str, str]) -> NewestFiles:
        """Return the hundred files modified last, behind the first `offset`."""
        rg = find_ripgrep(environment)
        if rg is None:
            paths = _walk(self.folder, self._skips)
            return await asyncio.to_thread(lambda: self._rank(self._matching(paths)))
        result = await run_ripgrep(rg, [*self._options()], self.folder)
        return await asyncio.to_thread(self._from_ripgrep, result)

    def _options(self) -> Iterator[str]:
        yield from ("--files", "--no-ignore", "--null", "--no-messages")
        if all(map(RIPGREP_GLOB.fullmatch, self._patterns)):
            # With a slash in front, rg matches from the folder it searches.
            yield from (f"--glob=/{pattern}" for pattern in self._patterns)
        yield "--hidden" if self._matches_dotfiles else "--glob=!.*"

    def _from_ripgrep(self, result: RipgrepResult) -> NewestFiles:
        listed = os.fsdecode(result.output).split("\0")[:-1]
        is_exact = all(map(EXACT_IN_RIPGREP.fullmatch, self._patterns))
        matching = listed if is_exact else self._matching(listed)
        return replace(self._rank(matching), remark=result.remark)

    def _matching(self, listed: Iterable[str]) -> list[str]:
        regex = compile_globs(self.globs)
        return [path for path in listed if regex.fullmatch(path)]

    def _rank(self, matching: list[str]) -> NewestFiles:
        folder = str(self.folder).rstrip("/")
        if self.excluded:
            excluded = compile_globs(self.excluded)
            matching = [path for path in matching if not excluded.fullmatch(f"{folder}/{path}")]
        newest = nlargest(
            self.offset + MAX_RESULTS,
            zip(_modified_ns(str(self.folder), matching), matching, strict=True),
        )
        paths = tuple(f"{folder}/{path}" for _, path in newest[self.offset :])
        return NewestFiles(paths, len(matching))

    def _skips(self, name: str) -> bool:
        return name.startswith(".") and not self._matches_dotfiles

    @property
    def _patterns(self) -> list[str]:
        return [each for glob in self.globs for each in expand_braces(glob)]

    @property
    def _matches_dotfiles(self) -> bool:
        return any(name.startswith(".") for each in self._patterns for name in each.split("/"))


class Glob(CodingTool):
    """Find files by name."""

    tool_description: ClassVar[str] = (
        "Find files by their names: **/*.py, src/**/*.{ts,tsx}. The newest first, at most 100. "
        "Names that begin with a dot have to be named with it."
    )
    is_read_only: ClassVar[bool] = True
    pattern: Annotated[str, Field(min_length=1, description="What paths look like.")]
    path: Annotated[str, Field(description="The folder; else where the shell is.")] = ""
    offset: Annotated[Count, Field(description="Files to leave out first.")] = 0

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the folder in which the search begins."""
        folder = context.path(self.path) if self.path else context.cwd
        fixed = self._fixed
        return (context.path(fixed) if fixed.startswith(("/", "~/")) else folder / fixed,)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Search, and list the paths."""
        (folder,) = self.paths(invocation.context)
        globs = tuple(glob.removeprefix(self._fixed).lstrip("/") for glob in self._globs)
        if any(".." in glob.split("/") for glob in globs):
            raise RejectedCall("Error: .. can only stand at the beginning of a pattern.")
        if not folder.is_dir():
            return text_output(NO_FILES, "" if self._fixed else f"{folder} is not a folder")
        context = invocation.context
        # The excluded globs are of real paths.
        search = FileSearch(real_path(folder), globs, context.excluded, self.offset)
        newest = await search.find_newest(context.environment)
        listing = "".join(f"{path}\n" for path in newest.paths) or NO_FILES
        cut = TRUNCATED if newest.count > self.offset + MAX_RESULTS else ""
        page = describe_page(self.offset, len(newest.paths), newest.count, "files")
        return text_output(listing + cut, "; ".join(filter(None, (page, newest.remark))))

    @property
    def _globs(self) -> list[str]:
        return split_list(self.pattern)

    @property
    def _fixed(self) -> str:
        """Return the folder that all globs begin with; of a list none."""
        return fixed_prefix(self.pattern) if len(self._globs) == 1 else ""


def _walk(folder: Path, skips: Callable[[str], bool]) -> Iterator[str]:
    pending = [""]
    while pending:
        inside = pending.pop()
        for entry in _scan(folder / inside):
            if skips(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                pending.append(f"{inside}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield f"{inside}{entry.name}"


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _modified_ns(folder: str, paths: Iterable[str]) -> Iterator[int]:
    # Relative to an open folder: with 100,000 files, resolving each whole path is slow.
    folder_fd = os.open(folder, os.O_RDONLY)
    try:
        for path in paths:
            yield _modified_at(path, folder_fd)
    finally:
        os.close(folder_fd)


def _modified_at(path: str, folder_fd: int) -> int:
    try:
        return os.stat(path, dir_fd=folder_fd).st_mtime_ns
    except OSError:
        return 0

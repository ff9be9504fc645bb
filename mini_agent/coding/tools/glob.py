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
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.glob_pattern import (
    compile_glob,
    compile_globs,
    expand_braces,
    fixed_prefix,
)
from mini_agent.coding.tools.ripgrep import (
    RipgrepResult,
    find_ripgrep,
    format_reminder,
    run_ripgrep,
)
from mini_agent.coding.tools.text_file import real_path
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

MAX_RESULTS: Final = 100
# Of these rg has the same notion as we; it is not told of others.
RIPGREP_GLOB: Final = re.compile(r"[\w*?./ -]+")
# What it lists of these need not be looked at again.
EXACT_IN_RIPGREP: Final = re.compile(r"(?:(?:\*\*|\w[\w.-]*)/)*(?!$)(?:\w[\w.-]*)?\*?[\w.-]*")


@dataclass(frozen=True, slots=True)
class NewestFiles:
    """Absolute paths, newest first; `count` is the number of matches, `remark` why some lack."""

    paths: tuple[str, ...]
    count: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class FileSearch:
    """The files in `folder` that match `pattern`, a glob relative to it, without excluded ones.

    Links are not followed. A name that begins with a dot matches only a pattern with that dot.
    """

    folder: Path
    pattern: str
    excluded: tuple[str, ...] = ()

    async def newest(self, environment: Mapping[str, str]) -> NewestFiles:
        """Return the hundred files modified last."""
        rg = find_ripgrep(environment)
        if rg is None:
            walked = _walk(self.folder, self._passes)
            return await asyncio.to_thread(lambda: self._ranked(self._named(walked)))
        found = await run_ripgrep(rg, [*self._options()], self.folder)
        return await asyncio.to_thread(self._found, found)

    def _options(self) -> Iterator[str]:
        yield from ("--files", "--no-ignore", "--null", "--no-messages")
        if all(map(RIPGREP_GLOB.fullmatch, self._patterns)):
            # One that begins with a slash is held against the path from the folder on.
            yield from (f"--glob=/{pattern}" for pattern in self._patterns)
        yield "--hidden" if self._names_dots else "--glob=!.*"

    def _found(self, found: RipgrepResult) -> NewestFiles:
        listed = os.fsdecode(found.output).split("\0")[:-1]
        is_told = all(map(EXACT_IN_RIPGREP.fullmatch, self._patterns))
        named = listed if is_told else self._named(listed)
        return replace(self._ranked(named), remark=found.remark)

    def _named(self, listed: Iterable[str]) -> list[str]:
        regex = compile_glob(self.pattern)
        return [path for path in listed if regex.fullmatch(path)]

    def _ranked(self, named: list[str]) -> NewestFiles:
        folder = str(self.folder).rstrip("/")
        if self.excluded:
            hidden = compile_globs(self.excluded)
            named = [path for path in named if not hidden.fullmatch(f"{folder}/{path}")]
        newest = nlargest(
            MAX_RESULTS, zip(_modified_ns(str(self.folder), named), named, strict=True)
        )
        return NewestFiles(tuple(f"{folder}/{path}" for _, path in newest), len(named))

    def _passes(self, name: str) -> bool:
        return name.startswith(".") and not self._names_dots

    @property
    def _patterns(self) -> list[str]:
        return expand_braces(self.pattern)

    @property
    def _names_dots(self) -> bool:
        return any(name.startswith(".") for each in self._patterns for name in each.split("/"))


def _walk(folder: Path, passes: Callable[[str], bool]) -> Iterator[str]:
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        for entry in _scan(folder / inside):
            if passes(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{inside}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield f"{inside}{entry.name}"


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _modified_ns(folder: str, paths: Iterable[str]) -> Iterator[int]:
    # Of a hundred thousand of them, each step on the way to the folder counts.
    here = os.open(folder, os.O_RDONLY)
    try:
        for path in paths:
            yield _modified_at(path, here)
    finally:
        os.close(here)


def _modified_at(path: str, here: int) -> int:
    try:
        return os.stat(path, dir_fd=here).st_mtime_ns
    except OSError:
        return 0


NO_FILES: Final = "No files found\n"
TRUNCATED: Final = "(Results are truncated. Consider using a more specific path or pattern.)\n"


class Glob(CodingTool):
    """Find files by name."""

    tool_description: ClassVar[str] = (
        "Find files by their names: **/*.py, src/**/*.{ts,tsx}. The newest first, at most 100. "
        "Names that begin with a dot have to be named with it."
    )
    is_read_only: ClassVar[bool] = True
    pattern: Annotated[str, Field(min_length=1, description="What paths look like.")]
    path: Annotated[str, Field(description="The folder; else where the shell is.")] = ""

    def paths(self, context: ToolContext) -> tuple[Path, ...]:
        """Return the folder in which the search begins."""
        folder = context.path(self.path) if self.path else context.cwd
        fixed = fixed_prefix(self.pattern)
        return (context.path(fixed) if fixed.startswith(("/", "~/")) else folder / fixed,)

    async def run(self, invocation: Invocation) -> ToolOutput:
        """Search, and list the paths."""
        (folder,) = self.paths(invocation.context)
        rest = self.pattern.removeprefix(fixed_prefix(self.pattern)).lstrip("/")
        if ".." in rest.split("/"):
            raise NotRun("Error: .. can only stand at the beginning of a pattern.")
        if not folder.is_dir():
            return text_output(NO_FILES)
        # What is hidden is hidden by its real path.
        newest = await FileSearch(real_path(folder), rest, invocation.context.excluded).newest(
            invocation.context.environment
        )
        told = "".join(f"{path}\n" for path in newest.paths) or NO_FILES
        cut = TRUNCATED if newest.count > MAX_RESULTS else ""
        return text_output(told + cut + format_reminder(newest.remark))

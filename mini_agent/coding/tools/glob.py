"""The tool Glob.

The newest of all files under a folder that a pattern names, by ripgrep or without it.
"""

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

from mini_agent.coding.tools.base import Asked, Call, said
from mini_agent.coding.tools.glob_pattern import alternatives, fixed_part, glob_regex, hiding
from mini_agent.coding.tools.ripgrep import Findings, reminder, ripgrep_in, searched
from mini_agent.coding.tools.text_file import real_path
from mini_agent.coding.tools.workspace import Workplace
from mini_agent.tools.arguments import NotRun
from mini_agent.tools.invoker import ToolOutput

NEWEST: Final = 100
# Of these rg has the same notion as we; it is not told of others.
COMMON: Final = re.compile(r"[\w*?./ -]+")
# What it lists of these need not be looked at again.
SIMPLE: Final = re.compile(r"(?:(?:\*\*|\w[\w.-]*)/)*(?!$)(?:\w[\w.-]*)?\*?[\w.-]*")


@dataclass(frozen=True, slots=True)
class Newest:
    """Absolute paths, newest first; `count` is how many there are in all, `remark` why not more."""

    paths: tuple[str, ...]
    count: int
    remark: str = ""


@dataclass(frozen=True, slots=True)
class FileList:
    """The files in `folder` that `pattern`, relative to it, names; `hidden` ones left out.

    Links are not followed. A name that begins with a dot has to be named with its dot.
    """

    folder: Path
    pattern: str
    hidden: tuple[str, ...] = ()

    async def newest(self, environment: Mapping[str, str]) -> Newest:
        """The hundred that were changed last."""
        rg = ripgrep_in(environment)
        if rg is None:
            walked = _walked(self.folder, self._passes)
            return await asyncio.to_thread(lambda: self._ranked(self._named(walked)))
        found = await searched(rg, [*self._options()], self.folder)
        return await asyncio.to_thread(self._found, found)

    def _options(self) -> Iterator[str]:
        yield from ("--files", "--no-ignore", "--null", "--no-messages")
        if all(map(COMMON.fullmatch, self._patterns)):
            # One that begins with a slash is held against the path from the folder on.
            yield from (f"--glob=/{pattern}" for pattern in self._patterns)
        yield "--hidden" if self._names_dots else "--glob=!.*"

    def _found(self, found: Findings) -> Newest:
        listed = os.fsdecode(found.output).split("\0")[:-1]
        is_told = all(map(SIMPLE.fullmatch, self._patterns))
        named = listed if is_told else self._named(listed)
        return replace(self._ranked(named), remark=found.remark)

    def _named(self, listed: Iterable[str]) -> list[str]:
        regex = glob_regex(self.pattern)
        return [path for path in listed if regex.fullmatch(path)]

    def _ranked(self, named: list[str]) -> Newest:
        folder = str(self.folder).rstrip("/")
        if self.hidden:
            hidden = hiding(self.hidden)
            named = [path for path in named if not hidden.fullmatch(f"{folder}/{path}")]
        newest = nlargest(NEWEST, zip(_changed_ns(str(self.folder), named), named, strict=True))
        return Newest(tuple(f"{folder}/{path}" for _, path in newest), len(named))

    def _passes(self, name: str) -> bool:
        return name.startswith(".") and not self._names_dots

    @property
    def _patterns(self) -> list[str]:
        return alternatives(self.pattern)

    @property
    def _names_dots(self) -> bool:
        return any(name.startswith(".") for each in self._patterns for name in each.split("/"))


def _walked(folder: Path, passes: Callable[[str], bool]) -> Iterator[str]:
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        for entry in _entries(folder / inside):
            if passes(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{inside}{entry.name}/")
            elif entry.is_file(follow_symlinks=False):
                yield f"{inside}{entry.name}"


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _changed_ns(folder: str, paths: Iterable[str]) -> Iterator[int]:
    # Of a hundred thousand of them, each step on the way to the folder counts.
    here = os.open(folder, os.O_RDONLY)
    try:
        for path in paths:
            yield _changed_at(path, here)
    finally:
        os.close(here)


def _changed_at(path: str, here: int) -> int:
    try:
        return os.stat(path, dir_fd=here).st_mtime_ns
    except OSError:
        return 0


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

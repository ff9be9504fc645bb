"""The newest of all files under a folder that a pattern names, by ripgrep or without it."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import nlargest
from pathlib import Path
from typing import Final

from mini_agent.coding.tools.glob_pattern import alternatives, glob_regex, hiding
from mini_agent.coding.tools.ripgrep import ripgrep_in, searched

NEWEST: Final = 100
# Of these rg has the same notion as we; it is not told of others.
COMMON: Final = re.compile(r"[\w*?./ -]+")


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
            return await asyncio.to_thread(self._ranked, _walked(self.folder, self._passes))
        found = await searched(rg, [*self._options()], self.folder)
        listed = os.fsdecode(found.output).split("\0")[:-1]
        return replace(await asyncio.to_thread(self._ranked, listed), remark=found.remark)

    def _options(self) -> Iterator[str]:
        yield from ("--files", "--no-ignore", "--null", "--no-messages")
        if all(map(COMMON.fullmatch, self._patterns)):
            # One that begins with a slash is held against the path from the folder on.
            yield from (f"--glob=/{pattern}" for pattern in self._patterns)
        yield "--hidden" if self._names_dots else "--glob=!.*"

    def _ranked(self, listed: Iterable[str]) -> Newest:
        folder = str(self.folder).rstrip("/")
        regex = glob_regex(self.pattern)
        named = [path for path in listed if regex.fullmatch(path)]
        if self.hidden:
            hidden = hiding(self.hidden)
            named = [path for path in named if not hidden.fullmatch(f"{folder}/{path}")]
        dated = ((_changed_ns(f"{folder}/{path}"), path) for path in named)
        newest = nlargest(NEWEST, dated)
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


def _changed_ns(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116  of a hundred thousand of them
    except OSError:
        return 0

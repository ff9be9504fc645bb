"""Measures Grep and Glob over 100,000 files beside ripgrep itself: `python -m bench.search`."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from pydantic import JsonValue

from bench.cost import Cost, line, table
from bench.samples import Samples
from mini_agent.coding.tools.catalog import CodingTools, coding_tools
from mini_agent.coding.tools.context import ToolContext
from mini_agent.messages import function_call

FOLDERS: Final = 1000
FILES: Final = 100
ROUNDS: Final = 9
WARM_UP: Final = 1
MAX_RATIO: Final = 1.3
EXTENSIONS: Final = ("py", "ts", "md", "txt", "json")


@dataclass(frozen=True, slots=True)
class Search:
    """One search, as a tool and as ripgrep makes it.

    `is_same` is whether ripgrep gives the same answer; where it does not, there is no limit.
    """

    key: str
    tool: str
    arguments: dict[str, JsonValue]
    ripgrep: Sequence[str]
    is_same: bool = True


RIPGREP_LIST_FLAGS: Final = ("--files", "--no-ignore")
SEARCHES: Final = (
    Search("grep_rare", "Grep", {"pattern": "needle"}, ("-l", "needle")),
    Search("grep_frequent", "Grep", {"pattern": "word17 "}, ("-l", "word17 ")),
    Search("grep_content", "Grep", {"pattern": "needle", "output_mode": "content"}, ("needle",)),
    Search("grep_count", "Grep", {"pattern": "needle", "output_mode": "count"}, ("-c", "needle")),
    Search(
        "glob_py",
        "Glob",
        {"pattern": "**/*.py"},
        (*RIPGREP_LIST_FLAGS, "--sortr=modified", "--glob=*.py"),
    ),
    Search("glob_all", "Glob", {"pattern": "**/*"}, (*RIPGREP_LIST_FLAGS, "--sortr=modified")),
    Search(
        "glob_py_unsorted",
        "Glob",
        {"pattern": "**/*.py"},
        (*RIPGREP_LIST_FLAGS, "--glob=*.py"),
        is_same=False,
    ),
    Search("glob_all_unsorted", "Glob", {"pattern": "**/*"}, RIPGREP_LIST_FLAGS, is_same=False),
)


def main() -> int:
    """Prints a table, and the line of JSON last; 1 where a tool takes longer than it may."""
    with tempfile.TemporaryDirectory(prefix="mini-agent-search-") as name:
        folder = Path(name)
        _create_files(folder)
        costs = asyncio.run(_measure(folder))
    sys.stdout.write(f"{table(costs, '100,000 files')}\n\n{line(costs)}\n")
    return 0 if all(cost.is_met for cost in costs) else 1


async def _measure(folder: Path) -> list[Cost]:
    tools = coding_tools(ToolContext.create(folder, dict(os.environ)))
    timed = {search.key: _SearchTimes(search) for search in SEARCHES}
    for number in range(-WARM_UP, ROUNDS):
        for each in random.sample([*timed.values()], len(timed)):
            taken = await each.once(folder, tools)
            if number >= 0:
                each.keep(*taken)
    return [cost for each in timed.values() for cost in each.costs()]


@dataclass(frozen=True, slots=True)
class _Duration:
    """Milliseconds of the clock, and of all processors together."""

    wall: float
    cpu: float


class _SearchTimes:
    """The samples of one search, both ways, and how they compare, round by round."""

    def __init__(self, search: Search) -> None:
        self._search = search
        written = " ".join(str(value) for value in search.arguments.values())
        self._own = Samples(f"{search.tool} {written}")
        self._theirs = Samples(f"rg {' '.join(search.ripgrep)}")
        self._ratio = Samples("one over the other")
        self._cpu_ratio = Samples("the same of processor time")

    async def once(self, folder: Path, tools: CodingTools) -> tuple[_Duration, _Duration]:
        """By the tool and by ripgrep, one right after the other."""
        if random.random() < 0.5:  # noqa: S311
            own = await _run_tool(self._search, tools)
            return own, _run_ripgrep(self._search, folder)
        theirs = _run_ripgrep(self._search, folder)
        return await _run_tool(self._search, tools), theirs

    def keep(self, own: _Duration, theirs: _Duration) -> None:
        """Counts a round."""
        self._own.taken.append(own.wall)
        self._theirs.taken.append(theirs.wall)
        self._ratio.taken.append(own.wall / theirs.wall)
        self._cpu_ratio.taken.append(own.cpu / theirs.cpu)

    def costs(self) -> Iterator[Cost]:
        """What it came to."""
        key, allowed = self._search.key, MAX_RATIO if self._search.is_same else None
        yield Cost(f"{key}_ms", self._own, "ms")
        yield Cost(f"{key}_rg_ms", self._theirs, "ms")
        yield Cost(f"{key}_ratio", self._ratio, "x", allowed)
        yield Cost(f"{key}_cpu_ratio", self._cpu_ratio, "x", allowed)


async def _run_tool(search: Search, tools: CodingTools) -> _Duration:
    wall, cpu = perf_counter(), _cpu_s()
    output = await tools.call_openai_tool(function_call("c", search.tool, search.arguments))
    took = _Duration((perf_counter() - wall) * 1000, (_cpu_s() - cpu) * 1000)
    if not output.ok or output.model_text.startswith("No "):
        raise AssertionError(output.model_text)
    return took


def _run_ripgrep(search: Search, folder: Path) -> _Duration:
    wall, cpu = perf_counter(), _cpu_s()
    subprocess.run(
        ["rg", "--no-config", *search.ripgrep, str(folder)], stdout=subprocess.PIPE, check=True
    )
    return _Duration((perf_counter() - wall) * 1000, (_cpu_s() - cpu) * 1000)


def _cpu_s() -> float:
    """Of this process and of the children that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _create_files(folder: Path) -> None:
    chosen = random.Random(1)  # noqa: S311  no secret
    words = [f"word{number}" for number in range(2000)]
    for place in range(FOLDERS):
        inside = folder / f"d{place // 50}" / f"s{place % 50}"
        inside.mkdir(parents=True)
        for number in range(FILES):
            lines = [" ".join(chosen.choices(words, k=8)) for _ in range(12)]
            if number == 7 and place % 10 == 0:
                lines.append("a needle is here")
            ending = EXTENSIONS[number % len(EXTENSIONS)]
            (inside / f"f{number}.{ending}").write_text("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())

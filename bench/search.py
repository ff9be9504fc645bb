"""Measures Grep and Glob over 100,000 files beside ripgrep itself: `python -m bench.search`."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from pydantic import JsonValue

from bench.samples import Samples
from mini_agent.coding.tools.catalog import CodingTools, coding_tools
from mini_agent.coding.tools.workplace import Workplace
from mini_agent.messages import function_call

FOLDERS: Final = 1000
FILES: Final = 100
ROUNDS: Final = 15
ALLOWED: Final = 1.3
ENDINGS: Final = ("py", "ts", "md", "txt", "json")


@dataclass(frozen=True, slots=True)
class Search:
    """One search, as a tool and as ripgrep makes it; with a `remark` the two are not the same."""

    tool: str
    arguments: dict[str, JsonValue]
    ripgrep: Sequence[str]
    remark: str = ""


SEARCHES: Final = (
    Search("Grep", {"pattern": "needle"}, ("-l", "needle")),
    Search("Grep", {"pattern": "word17 "}, ("-l", "word17 ")),
    Search("Grep", {"pattern": "needle", "output_mode": "content"}, ("needle",)),
    Search("Grep", {"pattern": "needle", "output_mode": "count"}, ("-c", "needle")),
    Search(
        "Glob",
        {"pattern": "**/*.py"},
        ("--files", "--no-ignore", "--sortr=modified", "--glob=*.py"),
    ),
    Search("Glob", {"pattern": "**/*7.md"}, ("--files", "--no-ignore", "--glob=*7.md"), "unsorted"),
    Search("Glob", {"pattern": "**/*.py"}, ("--files", "--no-ignore", "--glob=*.py"), "unsorted"),
    Search("Glob", {"pattern": "**/*"}, ("--files", "--no-ignore"), "unsorted"),
)


def main() -> int:
    """Prints the ratios; 1 where one of those against the same search is above 1.3."""
    with tempfile.TemporaryDirectory(prefix="mini-agent-search-") as name:
        folder = Path(name)
        _fill(folder)
        too_slow = asyncio.run(_measured(folder))
    return 1 if too_slow else 0


async def _measured(folder: Path) -> list[str]:
    tools = coding_tools(Workplace.at(folder, dict(os.environ)))
    too_slow: list[str] = []
    for search in SEARCHES:
        own, theirs = Samples(search.tool), Samples("rg")
        for _ in range(ROUNDS):
            theirs.taken.append(_by_ripgrep(search, folder))
            own.taken.append(await _by_tool(search, tools))
        mine, rg = own.p50, theirs.p50
        written = " ".join(str(value) for value in search.arguments.values())
        print(
            f"{search.tool:5} {written:20} {mine:7.1f} ms   rg {rg:7.1f} ms   {mine / rg:.2f} x"
            f"   {search.remark}"
        )
        if not search.remark and mine / rg > ALLOWED:
            too_slow.append(written)
    return too_slow


async def _by_tool(search: Search, tools: CodingTools) -> float:
    began = perf_counter()
    output = await tools.call_openai_tool(function_call("c", search.tool, search.arguments))
    took = (perf_counter() - began) * 1000
    if not output.ok or output.told.startswith("No "):
        raise AssertionError(output.told)
    return took


def _by_ripgrep(search: Search, folder: Path) -> float:
    began = perf_counter()
    subprocess.run(
        ["rg", "--no-config", *search.ripgrep, str(folder)], stdout=subprocess.PIPE, check=True
    )
    return (perf_counter() - began) * 1000


def _fill(folder: Path) -> None:
    chosen = random.Random(1)  # noqa: S311  no secret
    words = [f"word{number}" for number in range(2000)]
    for place in range(FOLDERS):
        inside = folder / f"d{place // 50}" / f"s{place % 50}"
        inside.mkdir(parents=True)
        for number in range(FILES):
            lines = [" ".join(chosen.choices(words, k=8)) for _ in range(12)]
            if number == 7 and place % 10 == 0:
                lines.append("a needle is here")
            ending = ENDINGS[number % len(ENDINGS)]
            (inside / f"f{number}.{ending}").write_text("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())

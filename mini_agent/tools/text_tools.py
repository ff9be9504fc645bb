"""The tools that only turn text into text, the same wherever snippets run."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import text_in
from mini_agent.tools.catalog import COMPRESS_RUNS, RESEARCH_ECHO
from mini_agent.tools.invoker import Tool, ToolOutput, printed

TEXT_TOOLS: Final[tuple[Tool, ...]] = (RESEARCH_ECHO, COMPRESS_RUNS)


def compress_runs(text: str) -> str:
    """Run-length encoding, character then count, by code point: `aaabbc` -> `a3b2c1`."""
    return "".join(f"{character}{len(list(run))}" for character, run in groupby(text))


def research_echo(query: str) -> str:
    """A stand-in for research that hands the question back as its own evidence."""
    return f"EVIDENCE: {query}"


def text_tool_output(name: str, arguments: JsonObject) -> ToolOutput | None:
    """What the text tool `name` answers; None when there is no text tool of that name."""
    if name == "research_echo":
        return printed(research_echo(text_in(arguments, "query")))
    if name == "compress_runs":
        return printed(compress_runs(text_in(arguments, "s")))
    return None

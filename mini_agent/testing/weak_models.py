"""Replies of weak models where a tool call was wanted, with the result expected of each.

`weak_models.jsonl` beside this file is the table, one reply a line: `family` and `shape` name it;
`text`, `reasoning`, `tool_calls` (name, arguments as text) and `finish_reason` are the reply;
`tools` names the tools offered and `has_result` says that one has already succeeded. Then
`calls` are to be run, `refused` is how many are to be answered with a problem instead, and
`answer` is the text that is left for the reader, where it matters.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from mini_agent.messages import JsonObject
from mini_agent.model import ModelReply, ToolCall
from mini_agent.tools.catalog import (
    EXEC_GO,
    EXEC_NODE,
    EXEC_PYTHON,
    EXEC_RUST,
    TEXT_TOOLS,
    build_shell_tool,
    build_text_tool,
)
from mini_agent.tools.invoker import Tool

TABLE_FILE: Final = "weak_models.jsonl"
PROGRAM_TOOLS: Final = (EXEC_PYTHON, EXEC_NODE, EXEC_GO, EXEC_RUST)
OFFERED_TOOLS: Final = MappingProxyType[str, tuple[Tool, ...]](
    {
        "sandbox": (*PROGRAM_TOOLS, build_shell_tool("Any shell command is allowed."), *TEXT_TOOLS),
        "search": (build_text_tool("search_docs", "Search the docs.", query="What to find."),),
    }
)


@dataclass(frozen=True, slots=True)
class WeakReply:
    """One reply of the table, the tools it was offered, and what is expected of it."""

    family: str
    shape: str
    reply: ModelReply
    tools: tuple[Tool, ...]
    has_result: bool
    calls: tuple[tuple[str, JsonObject], ...]
    refused: int
    answer: str | None

    def __str__(self) -> str:
        return f"{self.family}: {self.shape}"


class _TableLine(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str = Field(description="The family of models that reply so.")
    shape: str = Field(description="The shape of the reply, in words.")
    text: str = Field(default="", description="The text of the reply.")
    reasoning: str = Field(default="", description="The reasoning of the reply.")
    tool_calls: tuple[tuple[str, str], ...] = Field(
        default=(), description="The listed calls: name and arguments as text."
    )
    finish_reason: str = Field(default="stop", description="Why the reply ended.")
    tools: Literal["sandbox", "search"] = Field(
        default="sandbox", description="The tools that were offered."
    )
    has_result: bool = Field(default=False, description="Whether a tool has already succeeded.")
    calls: tuple[tuple[str, JsonObject], ...] = Field(
        default=(), description="The calls that are to be run: name and arguments."
    )
    refused: int = Field(default=0, description="How many calls are to be answered with a problem.")
    answer: str | None = Field(
        default=None,
        description="The text that is left for the reader; null where it does not matter.",
    )


def load_weak_replies() -> tuple[WeakReply, ...]:
    """Load the whole table, in its order."""
    table = files(__package__).joinpath(TABLE_FILE).read_text(encoding="utf-8")
    return tuple(_parse_line(_TableLine.model_validate_json(line)) for line in table.splitlines())


def _parse_line(line: _TableLine) -> WeakReply:
    listed = tuple(
        ToolCall(f"call-{number}", name, arguments)
        for number, (name, arguments) in enumerate(line.tool_calls)
    )
    return WeakReply(
        family=line.family,
        shape=line.shape,
        reply=ModelReply(line.text, line.reasoning, listed, line.finish_reason),
        tools=OFFERED_TOOLS[line.tools],
        has_result=line.has_result,
        calls=line.calls,
        refused=line.refused,
        answer=line.answer,
    )

"""A call passed on to another invoker, by whoever stands in front of it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pydantic import JsonValue

from mini_agent.tools.invoker import (
    Invoker,
    Listener,
    OpenAIToolCall,
    StreamingInvoker,
    Tool,
    ToolOutput,
)


class PassingInvoker(ABC):
    """An invoker in front of others: its calls go one way, whether their output is told or not."""

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """What came of one call."""
        return await self._passed_on(openai_tool, None)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, tell: Listener
    ) -> str | ToolOutput:
        """The same; `tell` gets the output as it comes."""
        return await self._passed_on(openai_tool, tell)

    @abstractmethod
    async def _passed_on(
        self, openai_tool: OpenAIToolCall, tell: Listener | None
    ) -> str | ToolOutput: ...


async def passed_on(
    invoker: Invoker, openai_tool: OpenAIToolCall, tell: Listener | None
) -> str | ToolOutput:
    """What came of the call; `tell` gets its output as it comes, where the invoker tells it."""
    if tell is not None and isinstance(invoker, StreamingInvoker):
        return await invoker.stream_openai_tool(openai_tool, tell)
    return await invoker.call_openai_tool(openai_tool)


def tool_named(tool: Tool) -> str:
    """The name of a listed tool; empty where it has none."""
    return _name(tool.get("function"))


def name_called(openai_tool: OpenAIToolCall) -> str:
    """The name of the tool that is called; empty where none is."""
    return _name(openai_tool.get("function"))


def renamed(tool: dict[str, JsonValue], name: str) -> dict[str, JsonValue]:
    """A tool, or a call of one, under another name."""
    function = tool.get("function")
    return {**tool, "function": {**function, "name": name}} if isinstance(function, dict) else tool


def _name(function: JsonValue) -> str:
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""

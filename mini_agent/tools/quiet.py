"""Tools whose output comes whole, for a run that nobody watches."""

from __future__ import annotations

from mini_agent.tools.invoker import Invoker, OpenAIToolCall, Tool, ToolOutput


class Quiet:
    """The tools of `invoker`, without its pieces of output, where it has any."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def list_openai_tools(self) -> list[Tool]:
        """The tools that can be called."""
        return await self._invoker.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """What came of one call."""
        return await self._invoker.call_openai_tool(openai_tool)

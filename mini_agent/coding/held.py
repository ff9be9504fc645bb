"""The model and the tools of a run that may be ended between two steps: then nothing begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from mini_agent.model import Model, ModelReply, ModelRequest
from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput
from mini_agent.tools.passed_on import passed_on


@dataclass(frozen=True, slots=True)
class Held:
    """Both in one; once it `is_over`, whatever would begin waits until it is cancelled."""

    model: Model
    tools: Invoker
    is_over: Callable[[], bool]

    async def reply(self, request: ModelRequest) -> ModelReply:
        """The model's turn."""
        await self._unless_over()
        return await self.model.reply(request)

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the run."""
        return await self.tools.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """What came of one call."""
        await self._unless_over()
        return await self.tools.call_openai_tool(openai_tool)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, tell: Listener
    ) -> str | ToolOutput:
        """The same; `tell` gets the output as it comes."""
        await self._unless_over()
        return await passed_on(self.tools, openai_tool, tell)

    async def _unless_over(self) -> None:
        if self.is_over():
            await asyncio.Event().wait()

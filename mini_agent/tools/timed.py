"""An invoker whose calls may take so long and no longer."""

from __future__ import annotations

import asyncio

from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput, refused
from mini_agent.tools.passed_on import passed_on


class TimedInvoker:
    """Cancels a call of `invoker` after `seconds` and tells the model so."""

    def __init__(self, invoker: Invoker, seconds: float) -> None:
        if not seconds > 0:
            raise BadRequest(f"seconds must be above 0, not {seconds!r}", field="seconds")
        self._invoker, self._seconds = invoker, seconds

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the invoker."""
        return await self._invoker.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """What came of one call."""
        return await self._passed_on(openai_tool, None)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, tell: Listener
    ) -> str | ToolOutput:
        """The same; `tell` gets the output as it comes."""
        return await self._passed_on(openai_tool, tell)

    async def _passed_on(
        self, openai_tool: OpenAIToolCall, tell: Listener | None
    ) -> str | ToolOutput:
        cut = asyncio.timeout(self._seconds)
        try:
            async with cut:
                return await passed_on(self._invoker, openai_tool, tell)
        except TimeoutError:
            if not cut.expired():
                raise
            return refused(f"the call took longer than {self._seconds:g} s and was cancelled")

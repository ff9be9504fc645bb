"""An invoker whose calls may take so long and no longer."""

from __future__ import annotations

import asyncio

from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput, refused
from mini_agent.tools.passed_on import PassingInvoker, passed_on


class TimedInvoker(PassingInvoker):
    """Cancels a call of `invoker` after `seconds` and tells the model so."""

    def __init__(self, invoker: Invoker, seconds: float) -> None:
        if not seconds > 0:
            raise BadRequest(f"seconds must be above 0, not {seconds!r}", field="seconds")
        self._invoker, self._seconds = invoker, seconds

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the invoker."""
        return await self._invoker.list_openai_tools()

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

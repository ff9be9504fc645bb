"""An invoker of which only some tools are there."""

from __future__ import annotations

from collections.abc import Collection

from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput, refused
from mini_agent.tools.passed_on import PassingInvoker, name_called, passed_on, tool_named


class FilteredInvoker(PassingInvoker):
    """Of the tools of `invoker` those `enabled`, all where it is None, without those `disabled`.

    What is not listed cannot be called either.
    """

    def __init__(
        self,
        invoker: Invoker,
        enabled: Collection[str] | None = None,
        disabled: Collection[str] = (),
    ) -> None:
        self._invoker, self._enabled, self._disabled = invoker, enabled, disabled

    async def list_openai_tools(self) -> list[Tool]:
        """The tools that are left."""
        tools = await self._invoker.list_openai_tools()
        return [tool for tool in tools if self._has(tool_named(tool))]

    async def _passed_on(
        self, openai_tool: OpenAIToolCall, tell: Listener | None
    ) -> str | ToolOutput:
        name = name_called(openai_tool)
        if not self._has(name):
            return refused(f"the tool {name!r:.80} is not enabled here")
        return await passed_on(self._invoker, openai_tool, tell)

    def _has(self, name: str) -> bool:
        return (self._enabled is None or name in self._enabled) and name not in self._disabled

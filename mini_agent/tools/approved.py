"""An invoker whose calls are carried out when somebody agrees."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from typing import TypeAlias

from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import Called, NotRun, called
from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput, refused
from mini_agent.tools.passed_on import PassingInvoker, passed_on

Approval: TypeAlias = Callable[[str, JsonObject], Awaitable[bool]]


class ApprovedInvoker(PassingInvoker):
    """Asks `approve` with the name and the arguments of each call; one that is denied is not made.

    The run's time goes on while somebody thinks.
    """

    def __init__(self, invoker: Invoker, approve: Approval) -> None:
        self._invoker, self._approve = invoker, approve

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the invoker."""
        return await self._invoker.list_openai_tools()

    async def _passed_on(
        self, openai_tool: OpenAIToolCall, tell: Listener | None
    ) -> str | ToolOutput:
        try:
            call: Called = called(openai_tool)
        except NotRun as why:
            return refused(str(why))
        # What it does to its arguments does not change the call.
        if not await self._approve(call.name, deepcopy(call.arguments)):
            return refused(f"this call of {call.name} was not approved, so it was not made")
        return await passed_on(self._invoker, openai_tool, tell)

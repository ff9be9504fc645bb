"""The tools of several invokers in one catalog."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence

from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput, refused
from mini_agent.tools.passed_on import PassingInvoker, name_called, passed_on, tool_named


class ToolsMissing(UserWarning):
    """One of several invokers cannot list its tools; the run goes on with those of the others."""


class JoinedInvoker(PassingInvoker):
    """The tools of all `invokers`; of two with one name the first stays.

    One that cannot list its tools is left out, with a warning, as long as another can.
    """

    def __init__(self, *invokers: Invoker) -> None:
        if not invokers:
            raise BadRequest("there is nothing to join", field="invokers")
        self._invokers = invokers
        self._owners: dict[str, Invoker] = {}

    async def list_openai_tools(self) -> list[Tool]:
        """All tools, in the order of the invokers; the first one's error when none can list."""
        async with asyncio.TaskGroup() as listing:
            tasks = [listing.create_task(_listing(invoker)) for invoker in self._invokers]
        listings = [task.result() for task in tasks]
        self._warn([each for each in listings if isinstance(each, Exception)])
        tools: dict[str, Tool] = {}
        owners: dict[str, Invoker] = {}
        for invoker, listed in zip(self._invokers, listings, strict=True):
            for tool in [] if isinstance(listed, Exception) else listed:
                tools.setdefault(tool_named(tool), tool)
                owners.setdefault(tool_named(tool), invoker)
        self._owners = owners
        return list(tools.values())

    async def _passed_on(
        self, openai_tool: OpenAIToolCall, tell: Listener | None
    ) -> str | ToolOutput:
        name = name_called(openai_tool)
        if name not in self._owners:
            await self.list_openai_tools()
        owner = self._owners.get(name)
        if owner is None:
            known = ", ".join(sorted(self._owners))
            return refused(f"there is no tool {name!r:.80}; there are: {known:.500}")
        return await passed_on(owner, openai_tool, tell)

    def _warn(self, errors: Sequence[Exception]) -> None:
        if len(errors) == len(self._invokers):
            raise errors[0]
        for error in errors:
            warnings.warn(f"tools are missing: {error}", ToolsMissing, stacklevel=3)


async def _listing(invoker: Invoker) -> list[Tool] | Exception:
    try:
        return await invoker.list_openai_tools()
    except Exception as broken:  # noqa: BLE001  an invoker is foreign code and may raise anything
        return broken

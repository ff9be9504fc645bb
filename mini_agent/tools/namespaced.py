"""An invoker whose tools carry the name of their server, so that several can be joined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import Invoker, Listener, OpenAIToolCall, Tool, ToolOutput
from mini_agent.tools.passed_on import PassingInvoker, name_called, passed_on, renamed, tool_named

# What OpenAI takes as the name of a function.
LONGEST: Final = 64
UNFIT: Final = re.compile(r"[^A-Za-z0-9_-]")


class NamespacedInvoker(PassingInvoker):
    """The tools of `invoker` as `server__tool`, in letters and lengths that every model takes."""

    def __init__(self, server: str, invoker: Invoker) -> None:
        if not server or UNFIT.search(server) or len(server) > LONGEST // 2:
            raise BadRequest(
                f"{server!r:.80} cannot name a server: 1 to {LONGEST // 2} letters, digits, - or _",
                field="server",
            )
        self._server, self._invoker = server, invoker
        self._own_names: dict[str, str] = {}

    async def list_openai_tools(self) -> list[Tool]:
        """The tools under their long names."""
        tools = await self._invoker.list_openai_tools()
        own_names: dict[str, str] = {}
        for tool in tools:
            own_names.setdefault(
                long_name(self._server, tool_named(tool), own_names), tool_named(tool)
            )
        self._own_names = own_names
        long_names = {own: long for long, own in own_names.items()}
        return [renamed(tool, long_names[tool_named(tool)]) for tool in tools]

    async def _passed_on(
        self, openai_tool: OpenAIToolCall, tell: Listener | None
    ) -> str | ToolOutput:
        return await passed_on(self._invoker, await self._own(openai_tool), tell)

    async def _own(self, openai_tool: OpenAIToolCall) -> OpenAIToolCall:
        name = name_called(openai_tool)
        if name not in self._own_names:
            await self.list_openai_tools()
        return renamed(openai_tool, self._own_names.get(name, name))


def long_name(server: str, own: str, taken: Mapping[str, str]) -> str:
    """The name of a server's tool in a catalog, another than those `taken` by other tools."""
    name = f"{server}__{UNFIT.sub('_', own)}"[:LONGEST]
    count = 2
    while taken.get(name, own) != own:
        name = f"{name[: LONGEST - 4]}_{count}"
        count += 1
    return name

"""Wrappers of invokers: combined, prefixed, filtered, with approval, with a timeout, buffered."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from copy import deepcopy
from typing import TypeAlias

from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import ParsedArguments, RejectedCall, parse_tool_call
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    WrapperInvoker,
    error_output,
    forward_call,
    get_called_name,
    get_tool_name,
    rename_tool,
)
from mini_agent.tools.portable_tools import (
    INVALID_CHARACTER,
    MAX_NAME_CHARS,
    make_portable_names,
)


class BufferedInvoker:
    """The tools of `invoker`, without its pieces of output, where it has any."""

    def __init__(self, invoker: Invoker) -> None:
        self._invoker = invoker

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools that can be called."""
        return await self._invoker.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """Call one tool."""
        return await self._invoker.call_openai_tool(openai_tool)


class MissingToolsWarning(UserWarning):
    """One of several invokers cannot list its tools; the run goes on with those of the others."""


class CombinedInvoker(WrapperInvoker):
    """The tools of all `invokers`; of two with one name the first is kept.

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
            tasks = [listing.create_task(_list_tools(invoker)) for invoker in self._invokers]
        listings = [task.result() for task in tasks]
        self._warn([each for each in listings if isinstance(each, Exception)])
        tools: dict[str, Tool] = {}
        owners: dict[str, Invoker] = {}
        for invoker, listed in zip(self._invokers, listings, strict=True):
            for tool in [] if isinstance(listed, Exception) else listed:
                tools.setdefault(get_tool_name(tool), tool)
                owners.setdefault(get_tool_name(tool), invoker)
        self._owners = owners
        return list(tools.values())

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        name = get_called_name(openai_tool)
        if name not in self._owners:
            await self.list_openai_tools()
        owner = self._owners.get(name)
        if owner is None:
            known = ", ".join(sorted(self._owners))
            return error_output(f"there is no tool {name!r:.80}; there are: {known:.500}")
        return await forward_call(owner, openai_tool, listener)

    def _warn(self, errors: Sequence[Exception]) -> None:
        if len(errors) == len(self._invokers):
            raise errors[0]
        for error in errors:
            warnings.warn(f"tools are missing: {error}", MissingToolsWarning, stacklevel=3)


async def _list_tools(invoker: Invoker) -> list[Tool] | Exception:
    try:
        return await invoker.list_openai_tools()
    except Exception as broken:  # noqa: BLE001  an invoker is foreign code and may raise anything
        return broken


class TimeoutInvoker(WrapperInvoker):
    """Cancels a call of `invoker` after `seconds`; the model reads that it was cancelled."""

    def __init__(self, invoker: Invoker, seconds: float) -> None:
        if not seconds > 0:
            raise BadRequest(f"seconds must be above 0, not {seconds!r}", field="seconds")
        self._invoker, self._seconds = invoker, seconds

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the invoker."""
        return await self._invoker.list_openai_tools()

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        cut = asyncio.timeout(self._seconds)
        try:
            async with cut:
                return await forward_call(self._invoker, openai_tool, listener)
        except TimeoutError:
            if not cut.expired():
                raise
            return error_output(f"the call took longer than {self._seconds:g} s and was cancelled")


class PrefixedInvoker(WrapperInvoker):
    """The tools of `invoker` as `server__tool`, in letters and lengths that every model takes."""

    def __init__(self, server: str, invoker: Invoker) -> None:
        if not server or INVALID_CHARACTER.search(server) or len(server) > MAX_NAME_CHARS // 2:
            raise BadRequest(
                f"{server!r:.80} cannot name a server: "
                f"1 to {MAX_NAME_CHARS // 2} letters, digits, - or _",
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
                prefix_name(self._server, get_tool_name(tool), own_names), get_tool_name(tool)
            )
        self._own_names = own_names
        long_names = {own: long for long, own in own_names.items()}
        return [rename_tool(tool, long_names[get_tool_name(tool)]) for tool in tools]

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        return await forward_call(self._invoker, await self._own(openai_tool), listener)

    async def _own(self, openai_tool: OpenAIToolCall) -> OpenAIToolCall:
        name = get_called_name(openai_tool)
        if name not in self._own_names:
            await self.list_openai_tools()
        return rename_tool(openai_tool, self._own_names.get(name, name))


def prefix_name(server: str, own: str, taken: Mapping[str, str]) -> str:
    """The name of a server's tool in a catalog, another than those `taken` by other tools."""
    name = f"{server}__{INVALID_CHARACTER.sub('_', own)}"[:MAX_NAME_CHARS]
    count = 2
    while taken.get(name, own) != own:
        name = f"{name[: MAX_NAME_CHARS - 4]}_{count}"
        count += 1
    return name


class FilteredInvoker(WrapperInvoker):
    """Of the tools of `invoker` those `enabled`, all where it is None, without those `disabled`.

    What is not listed cannot be called either.
    """

    def __init__(
        self,
        invoker: Invoker,
        enabled: Collection[str] | None = None,
        disabled: Collection[str] = (),
    ) -> None:
        self._invoker = invoker
        self._enabled = None if enabled is None else _with_portable_names(enabled)
        self._disabled = _with_portable_names(disabled)

    async def list_openai_tools(self) -> list[Tool]:
        """The tools that are left."""
        tools = await self._invoker.list_openai_tools()
        return [tool for tool in tools if self._has(get_tool_name(tool))]

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        name = get_called_name(openai_tool)
        if not self._has(name):
            return error_output(f"the tool {name!r:.80} is not enabled here")
        return await forward_call(self._invoker, openai_tool, listener)

    def _has(self, name: str) -> bool:
        return (self._enabled is None or name in self._enabled) and name not in self._disabled


def _with_portable_names(names: Collection[str]) -> frozenset[str]:
    """The names as a server gives them and as its tools are listed."""
    return frozenset((*names, *make_portable_names(names).values()))


ApprovalCallback: TypeAlias = Callable[[str, JsonObject], Awaitable[bool]]


class ApprovalInvoker(WrapperInvoker):
    """Asks `approve` with the name and the arguments of each call; one that is denied is not made.

    The run's time goes on while somebody thinks.
    """

    def __init__(self, invoker: Invoker, approve: ApprovalCallback) -> None:
        self._invoker, self._approve = invoker, approve

    async def list_openai_tools(self) -> list[Tool]:
        """The tools of the invoker."""
        return await self._invoker.list_openai_tools()

    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput:
        try:
            call: ParsedArguments = parse_tool_call(openai_tool)
        except RejectedCall as why:
            return error_output(str(why))
        # What it does to its arguments does not change the call.
        if not await self._approve(call.name, deepcopy(call.arguments)):
            return error_output(f"this call of {call.name} was not approved, so it was not made")
        return await forward_call(self._invoker, openai_tool, listener)

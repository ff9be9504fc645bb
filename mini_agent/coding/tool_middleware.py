"""Middleware around the tools: hooks, permission, and the order of calls that change things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Protocol

from mini_agent.coding.hooks.commands import HookSource
from mini_agent.coding.hooks.decision import HookDecision, Permission
from mini_agent.coding.hooks.event import EventName, HookContext
from mini_agent.coding.observer import Observer
from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.messages import JsonObject
from mini_agent.tools.arguments import (
    ParsedArguments,
    RejectedCall,
    build_tool_call,
    parse_tool_call,
)
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    add_notes,
    error_output,
    forward_call,
)
from mini_agent.tools.outputs import parse_output

PARALLEL_TOOLS: Final = frozenset({"Read", "Grep", "Glob", "LS", "WebFetch", "WebSearch", "Task"})
NO_OUTPUT: Final = "(no output)"


class Approver(Protocol):
    """Decides whether a call may be made."""

    async def find_objection(
        self, name: str, arguments: JsonObject, hook_permission: Permission
    ) -> str:
        """Return why the call may not be made, else "". `hook_permission` is the hooks' word."""
        ...


@dataclass(frozen=True, slots=True)
class MiddlewareContext:
    """What the middleware depends on; `hook_context` and `observer` give the current ones.

    `stop` ends the run, with a reason.
    """

    hook_context: Callable[[], HookContext]
    hooks: HookSource
    approver: Approver
    observer: Callable[[], Observer]
    stop: Callable[[str], None]


class ToolMiddleware:
    """Wraps an invoker; the model reads what a tool returns unchanged, without a digest."""

    def __init__(self, invoker: Invoker, context: MiddlewareContext) -> None:
        self._invoker = invoker
        self._context = context
        self._lock = _ReadWriteLock()

    async def list_openai_tools(self) -> list[Tool]:
        """Return the tools of the invoker."""
        return await self._invoker.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        """Execute one call, if hooks and permissions let it pass."""
        return await self._call(openai_tool, None)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, tell: OutputListener
    ) -> ToolOutput:
        """Execute one call; `tell` gets the output as it comes."""
        return await self._call(openai_tool, tell)

    async def _call(self, openai_tool: OpenAIToolCall, tell: OutputListener | None) -> ToolOutput:
        try:
            parsed = parse_tool_call(openai_tool)
        except RejectedCall as error:
            return _with_model_text(error_output(str(error)))
        reads = parsed.name in PARALLEL_TOOLS
        async with self._lock.shared() if reads else self._lock.exclusive():
            return await self._run(openai_tool, parsed, tell)

    async def _run(
        self, call: OpenAIToolCall, parsed: ParsedArguments, tell: OutputListener | None
    ) -> ToolOutput:
        call_id = str(call.get("id") or "")
        about: JsonObject = {"tool_use_id": call_id}
        before = await self._run_hooks("PreToolUse", parsed, about)
        if before.blocked or before.stops:
            reasons = "".join(f"\n- {reason}" for reason in before.reasons)
            return _with_model_text(
                error_output(f"{parsed.name} operation blocked by hook:{reasons}")
            )
        if before.updated_input is not None:
            parsed = ParsedArguments(parsed.name, before.updated_input)
            call = build_tool_call(call_id, parsed)
        objection = await self._context.approver.find_objection(*parsed, before.permission)
        if objection:
            self._context.observer().on_denied(ToolUse(call_id, *parsed))
            return _with_model_text(error_output(objection))
        output = _with_model_text(parse_output(await forward_call(self._invoker, call, tell)))
        remarks = [*before.after, *(await self._post_hook_remarks(parsed, output, about))]
        if not output.model_text:
            # Keep the digest of what a program printed.
            return add_notes(output, *remarks)
        return replace(output, model_text="\n\n".join((output.model_text, *remarks)))

    async def _post_hook_remarks(
        self, parsed: ParsedArguments, output: ToolOutput, about: JsonObject
    ) -> tuple[str, ...]:
        """Return what hooks say to the model after a call that succeeded."""
        if not output.ok:
            return ()
        response = output.model_text or output.stdout or output.stderr
        after = await self._run_hooks("PostToolUse", parsed, {"tool_response": response, **about})
        return (*(after.reasons if after.blocked else ()), *after.after)

    async def _run_hooks(
        self, name: EventName, parsed: ParsedArguments, more: JsonObject
    ) -> HookDecision:
        own: JsonObject = {"tool_name": parsed.name, "tool_input": parsed.arguments, **more}
        event = self._context.hook_context().event(name, parsed.name, own)
        decision = await self._context.hooks.decide(event)
        if decision.stops:
            self._context.stop(decision.reason)
        for remark in (*decision.messages, *decision.faults):
            self._context.observer().on_warning(remark)
        return decision


class _ReadWriteLock:
    """Lets read-only calls run concurrently; any other waits for them, and runs alone."""

    def __init__(self) -> None:
        self._reading = 0
        self._turn = asyncio.Lock()
        self._idle = asyncio.Condition()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        async with self._turn:
            async with self._idle:
                await self._idle.wait_for(lambda: not self._reading)
            yield

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        async with self._turn:
            self._reading += 1
        try:
            yield
        finally:
            async with self._idle:
                self._reading -= 1
                self._idle.notify_all()


def _with_model_text(output: ToolOutput) -> ToolOutput:
    """Return the output with the text for the model; a sandboxed program keeps its digest."""
    if output.model_text or output.execution is not None:
        return output
    if output.rc is None:
        return replace(output, model_text=output.error or "the tool failed without saying why")
    streams = (text for text in (output.stdout, output.stderr, output.note) if text.strip())
    return replace(output, model_text="\n".join(streams) or NO_OUTPUT)

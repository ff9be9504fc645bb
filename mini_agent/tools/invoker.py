"""The protocol of invokers, the output of a tool call, and the base of wrappers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, runtime_checkable

from pydantic import JsonValue

from mini_agent.messages import Attachment
from mini_agent_protocol.execution import Execution, Output

Tool: TypeAlias = dict[str, JsonValue]
OpenAIToolCall: TypeAlias = dict[str, JsonValue]
OutputListener: TypeAlias = Callable[[Output], None]


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """The output of one tool call.

    A program that ran has an `rc`, failed or not. A call that never ran has `rc` None and an
    `error`, a sentence that says why. `status` is a word for how a program ended when `rc` alone
    does not say ("timeout", "oom", "output_limit", "killed", "compile_error"); `note` is a remark
    for the model. `result` is what a program's last expression was worth, where the language has
    such a thing. `attachments` are what a tool gave beside its text: images, sounds, files. A
    non-empty `model_text` is what the model reads, in place of the tails of the streams.
    """

    ok: bool
    rc: int | None = None
    stdout: str = ""
    stderr: str = ""
    error: str | None = None
    status: str = ""
    note: str = ""
    execution: Execution | None = None
    result: str = ""
    attachments: tuple[Attachment, ...] = ()
    model_text: str = ""


def text_output(text: str) -> ToolOutput:
    """Build the output of a tool that returned `text`."""
    return ToolOutput(ok=True, rc=0, stdout=text)


def error_output(why: str) -> ToolOutput:
    """Build the output of a call that was not executed."""
    return ToolOutput(ok=False, error=why)


def add_notes(output: ToolOutput, *notes: str) -> ToolOutput:
    """Return `output` with further notes; blank ones are left out."""
    return replace(output, note="; ".join(note for note in (*notes, output.note) if note))


def discard_output(piece: Output) -> None:
    """Discard a piece of output."""
    del piece


class Invoker(Protocol):
    """Anything that lists tools in OpenAI's form and calls them.

    A call is `{"id", "type": "function", "function": {"name", "arguments": JSON text}}`; an
    answer may be plain text, or text that is a JSON object with `ok`, `rc`, `stdout`, `stderr`.
    """

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools that can be called."""
        ...

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """Call one tool."""
        ...


@runtime_checkable
class StreamingInvoker(Protocol):
    """An invoker that also passes on a program's output while it runs."""

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> str | ToolOutput:
        """Call one tool; `listener` gets each piece of its output as it comes."""
        ...


class WrapperInvoker(ABC):
    """Base of invokers that wrap others: one method for calls with and without a listener."""

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """Call one tool."""
        return await self._forward(openai_tool, None)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> str | ToolOutput:
        """The same; `listener` gets the output as it comes."""
        return await self._forward(openai_tool, listener)

    @abstractmethod
    async def _forward(
        self, openai_tool: OpenAIToolCall, listener: OutputListener | None
    ) -> str | ToolOutput: ...


async def forward_call(
    invoker: Invoker, openai_tool: OpenAIToolCall, listener: OutputListener | None
) -> str | ToolOutput:
    """Call a tool; `listener` gets its output as it comes, where the invoker streams."""
    if listener is not None and isinstance(invoker, StreamingInvoker):
        return await invoker.stream_openai_tool(openai_tool, listener)
    return await invoker.call_openai_tool(openai_tool)


def get_tool_name(tool: Tool) -> str:
    """Return the name of a listed tool; empty where it has none."""
    return _function_name(tool.get("function"))


def get_called_name(openai_tool: OpenAIToolCall) -> str:
    """Return the name of the called tool; empty where there is none."""
    return _function_name(openai_tool.get("function"))


def rename_tool(tool: dict[str, JsonValue], name: str) -> dict[str, JsonValue]:
    """Return a tool, or a call of one, under another name."""
    function = tool.get("function")
    return {**tool, "function": {**function, "name": name}} if isinstance(function, dict) else tool


def _function_name(function: JsonValue) -> str:
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else ""

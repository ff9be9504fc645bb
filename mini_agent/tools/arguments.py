"""The tools that an invoker lists, and the arguments of a call: parsed and validated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from pydantic import JsonValue

from mini_agent.errors import MiniAgentError
from mini_agent.messages import JsonObject, function_call, parse_json_object, replace_surrogates
from mini_agent.tools.invoker import OpenAIToolCall, Tool
from mini_agent.tools.portable_tools import make_portable, make_portable_names


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that the model is offered: its schema, and the parameters a call may and must have.

    `name` and `schema` are in a form that model servers take. The invoker knows the tool as
    `own_name`, and `parameters_schema` is the JSON schema of the arguments as the invoker lists it.
    """

    name: str
    schema: Tool
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    own_name: str
    parameters_schema: JsonObject


def parse_tools(listed: object) -> dict[str, OfferedTool]:
    """Parse a list of tools by name; of two with one name the first is kept.

    Raises `MiniAgentError` when `listed` is no list of tools in OpenAI's form.
    """
    if not isinstance(listed, list | tuple):
        raise MiniAgentError(f"the invoker listed its tools as {listed!r:.80}, not as a list")
    entries: dict[str, tuple[Tool, JsonObject]] = {}
    for entry in listed:
        name, tool, schema = _parse_entry(entry)
        entries.setdefault(name, (tool, schema))
    names = make_portable_names(entries)
    return {
        names[own]: _offer(make_portable(tool, names[own]), names[own], own, schema)
        for own, (tool, schema) in entries.items()
    }


def _parse_entry(entry: object) -> tuple[str, Tool, JsonObject]:
    function = entry.get("function") if isinstance(entry, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(entry, dict) or not isinstance(function, dict) or not isinstance(name, str):
        raise MiniAgentError(
            f"the invoker lists a tool without a name: {entry!r:.80}",
            hint='a tool is {"type": "function", "function": {"name": ..., "parameters": ...}}',
        )
    schema = function.get("parameters")
    return name, entry, schema if isinstance(schema, dict) else {}


def _offer(tool: Tool, name: str, own_name: str, schema: JsonObject) -> OfferedTool:
    function = tool["function"]
    portable = function["parameters"] if isinstance(function, dict) else None
    shown = portable if isinstance(portable, dict) else {}
    return OfferedTool(
        name,
        tool,
        tuple(_iterate_names(shown.get("properties"))),
        tuple(_iterate_names(shown.get("required"))),
        own_name,
        schema,
    )


def _iterate_names(listed: object) -> Iterator[str]:
    if isinstance(listed, dict | list | tuple):
        yield from (name for name in listed if isinstance(name, str))


MIN_TIMEOUT_S: Final = 1.0


class RejectedCall(Exception):
    """The call is not executed; the text is the error that the model reads."""


class ParsedArguments(NamedTuple):
    """The name of the called tool, and its arguments."""

    name: str
    arguments: JsonObject


class Timeout(NamedTuple):
    """A program's time limit in seconds, and a note where it differs from the requested one."""

    value: float | None
    note: str = ""


class ArgumentsJson(str):
    """Arguments as JSON text, as every invoker takes them, with their parsed value.

    INVARIANT: `value` is what the text was written from, so that ours need not parse it again; a
    wrapper that puts another text in its place loses it, and that text is parsed.
    """

    __slots__ = ("value",)
    value: JsonObject | None

    def __new__(cls, text: str, value: JsonObject | None = None) -> Self:
        written = super().__new__(cls, text)
        written.value = value
        return written


def build_tool_call(call_id: str, asked: ParsedArguments) -> OpenAIToolCall:
    """Build a call for an invoker, its arguments as JSON text that is not parsed again."""
    call = function_call(call_id, *asked)
    function = call["function"]
    if isinstance(function, dict):
        written = str(function["arguments"])
        value = asked.arguments if _is_valid_json(written) else None
        function["arguments"] = ArgumentsJson(written, value)
    return call


def parse_tool_call(openai_tool: OpenAIToolCall) -> ParsedArguments:
    """Parse the name and arguments of a call; arguments may be JSON text or an object.

    They are shared with others who read the call, so they are not to be changed.
    """
    function = openai_tool.get("function")
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str):
        raise RejectedCall("the call names no tool")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, dict):
        return ParsedArguments(name, arguments)
    if isinstance(arguments, ArgumentsJson) and arguments.value is not None:
        return ParsedArguments(name, arguments.value)
    try:
        return ParsedArguments(name, parse_json_object(str(arguments)))
    except ValueError as wrong:
        raise RejectedCall(f"the arguments are not a JSON object: {wrong}") from None


def read_text_argument(arguments: JsonObject, name: str) -> str:
    """Read the required text argument `name`, which may be empty."""
    if name not in arguments:
        raise RejectedCall(f"the argument {name} is missing")
    text = arguments[name]
    if not isinstance(text, str):
        raise RejectedCall(f"the argument {name} must be text, not {text!r:.60}")
    return text


def read_program_argument(arguments: JsonObject, name: str) -> str:
    """Read the required text argument `name`, which must not be blank."""
    program = read_text_argument(arguments, name)
    if not program.strip():
        raise RejectedCall(f"the argument {name} is empty")
    return program


def read_timeout(arguments: JsonObject, *, longest: float) -> Timeout:
    """Read `timeout_s`, clamped to the range from 1 second to `longest`; None when it is absent."""
    asked = arguments.get("timeout_s")
    if asked is None:
        return Timeout(None)
    wanted = _parse_seconds(asked)
    value = min(max(wanted, min(MIN_TIMEOUT_S, longest)), longest)
    if value == wanted:
        return Timeout(value)
    return Timeout(value, f"timeout_s {wanted:g} is out of range; {value:g} was used")


def note_unknown_arguments(arguments: JsonObject, known: Iterable[str]) -> str:
    """Describe arguments that are not among the `known`; empty when there are none."""
    unread = sorted(set(arguments) - set(known))
    return f"unknown argument ignored: {', '.join(unread):.200}" if unread else ""


def _is_valid_json(written: str) -> bool:
    """Whether no reader could object to it; the rest is parsed, and refused with the reason."""
    return (
        written == replace_surrogates(written)
        and "NaN" not in written
        and "Infinity" not in written
    )


def _parse_seconds(value: JsonValue) -> float:
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            number = float(value)
            if math.isfinite(number):
                return number
    except (ValueError, OverflowError):
        pass
    raise RejectedCall(f"timeout_s must be a number of seconds, not {value!r:.60}")

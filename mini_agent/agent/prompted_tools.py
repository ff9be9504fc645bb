"""Turns put in plain text, for servers that say that they take no tools.

The protocol for servers that take no tools: each turn is one JSON object, a call or the end.

`{"tool": name, "args": {...}}` calls a tool, `{"final": text}` answers. A server that can be held
to a JSON schema (Ollama's `format`, OpenAI's `response_format`) yields a step whatever the model.

A conversation with calls, told without them, for servers that take neither tools nor calls.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from mini_agent.agent.context_window import append_instructions
from mini_agent.errors import ModelError, NoToolSupport
from mini_agent.messages import JsonObject, Message, assistant, parse_json_object, user
from mini_agent.model import ModelReply, ModelRequest, ToolCall
from mini_agent.tool_parsing.lenient_json import LenientJsonError, ParsedJson, parse_json
from mini_agent.tool_parsing.reply import split_reasoning
from mini_agent.tool_parsing.text_spans import OfferedTools
from mini_agent.tools.arguments import OfferedTool

INSTRUCTIONS: Final = (
    "You have these tools:\n{tools}\n"
    "Answer every time with one JSON object alone, in one of two forms:\n"
    '{{"tool": NAME, "args": {{...}}}} to call a tool; you are then shown what came of it.\n'
    '{{"final": TEXT}} to answer the task, once you have the result.'
)
TOOL_KEY: Final = "tool"
ARGUMENTS_KEY: Final = "args"
FINAL_KEY: Final = "final"


def format_instructions(tools: OfferedTools) -> str:
    """What the model is told, beside its other instructions."""
    return INSTRUCTIONS.format(tools="\n".join(map(_describe_tool, tools.values())))


def build_step_schema(tools: OfferedTools) -> JsonObject:
    """The JSON schema of one step: a call of one of `tools`, or the answer."""
    answer: JsonObject = {"type": "string"}
    steps: list[JsonValue] = [
        _object_schema({TOOL_KEY: {"enum": [each.name]}, ARGUMENTS_KEY: _parameters(each)})
        for each in tools.values()
    ]
    return {"anyOf": [*steps, _object_schema({FINAL_KEY: answer})]}


def parse_step(text: str) -> str | Sequence[ToolCall] | None:
    """The answer or the call that `text` is; None where it is no whole step of the protocol."""
    said = split_reasoning(text).text
    start = said.find("{")
    if start < 0:
        return None
    try:
        read = parse_json(said, start)
    except LenientJsonError:
        return None
    return _read_step(read)


def _read_step(read: ParsedJson) -> str | Sequence[ToolCall] | None:
    if not isinstance(read.value, dict) or not read.is_whole(read.value):
        return None
    name = read.value.get(TOOL_KEY)
    if isinstance(name, str) and name:
        arguments = read.value.get(ARGUMENTS_KEY)
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return [ToolCall("", name, written, "text")] if ARGUMENTS_KEY in read.value else None
    final = read.value.get(FINAL_KEY)
    if final is None:
        return None
    return final if isinstance(final, str) else json.dumps(final, ensure_ascii=False)


def _object_schema(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _describe_tool(tool: OfferedTool) -> str:
    description = _function(tool).get("description")
    parameters = json.dumps(_parameters(tool).get("properties", {}), ensure_ascii=False)
    said = f": {description}" if isinstance(description, str) and description else ""
    return f"- {tool.name}{said} Arguments: {parameters}"


def _parameters(tool: OfferedTool) -> JsonObject:
    parameters = _function(tool).get("parameters")
    return parameters if isinstance(parameters, dict) else {"type": "object"}


def _function(tool: OfferedTool) -> JsonObject:
    function = tool.schema.get("function")
    return function if isinstance(function, dict) else {}


def write_calls_as_text(messages: Sequence[Message]) -> list[Message]:
    """`messages` with calls written as `{"tool", "args"}` and what came of them as the user's."""
    told: list[Message] = []
    for message in _without_calls(messages):
        last = told[-1] if told else {}
        said, more = last.get("content"), message["content"]
        in_a_row = last.get("role") == message["role"] == "user"
        if in_a_row and isinstance(said, str) and isinstance(more, str):
            told[-1] = user(f"{said}\n\n{more}")
        else:
            told.append(message)
    return told


def _without_calls(messages: Sequence[Message]) -> Iterator[Message]:
    for message in messages:
        calls, content = message.get("tool_calls"), message["content"]
        if message["role"] == "tool":
            yield {"role": "user", "content": content}
        elif isinstance(calls, list):
            written = [_write_call(call) for call in calls if isinstance(call, dict)]
            text = content if isinstance(content, str) else ""
            yield assistant("\n".join(part for part in (text, *written) if part))
        else:
            yield message


def _write_call(call: dict[str, JsonValue]) -> str:
    function = call.get("function")
    if not isinstance(function, dict):
        return ""
    args = parse_json_object(str(function.get("arguments")))
    return json.dumps({"tool": function.get("name"), "args": args}, ensure_ascii=False)


TOOLS_PROMPTED: Final = "the server takes no tools, so the model was asked for its calls in text"
SCHEMA_DROPPED: Final = "the server takes no JSON schema, so the model was asked without one"
SCHEMA_NAME: Final = "step"


class PromptedTools:
    """Whether a run speaks in plain text; once it does, it does to its end."""

    def __init__(self) -> None:
        self._is_needed = False
        self._takes_schema = True

    def apply_remedy(self, broken: ModelError, request: ModelRequest) -> str:
        """What is done about `broken` here, empty when that is nothing."""
        if isinstance(broken, NoToolSupport) and request.tools:
            self._is_needed = True
            return TOOLS_PROMPTED
        may_be_the_schema = self._is_needed and "response_format" in request.options
        if may_be_the_schema and not broken.retryable and self._takes_schema:
            self._takes_schema = False
            return SCHEMA_DROPPED
        return ""

    def rewrite_request(self, native: ModelRequest, tools: OfferedTools) -> ModelRequest:
        """`native`, or the same turn in plain text."""
        if not self._is_needed:
            return native
        options = dict(native.options)
        for only_with_tools in ("tool_choice", "parallel_tool_calls"):
            options.pop(only_with_tools, None)
        if tools and self._takes_schema:
            named: JsonObject = {"name": SCHEMA_NAME, "schema": build_step_schema(tools)}
            options["response_format"] = {"type": "json_schema", "json_schema": named}
        elif not self._takes_schema:
            options.pop("response_format", None)
        addenda = [format_instructions(tools)] if tools else []
        messages = append_instructions(write_calls_as_text(native.messages), addenda)
        return replace(native, messages=messages, tools=[], options=options)

    def parse_reply(self, reply: ModelReply) -> ModelReply:
        """`reply` with its step as calls or as the answer; as it is where it holds no step."""
        if not self._is_needed:
            return reply
        step = parse_step(reply.text)
        if step is None:
            return reply
        if isinstance(step, str):
            return replace(reply, text=step)
        calls: tuple[ToolCall, ...] = tuple(step)
        return replace(reply, text="", tool_calls=calls)

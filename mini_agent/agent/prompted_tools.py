"""Prompted tools: a protocol in plain text for model servers that take no tools.

Each reply is one JSON object, `{"tool": name, "args": {...}}` for a call or `{"final": text}` for
the answer. Where the server takes a JSON schema (Ollama's `format`, OpenAI's `response_format`),
it enforces that form.
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
SCHEMA_NAME: Final = "step"
TOOLS_PROMPTED: Final = "the server takes no tools, so the model was asked for its calls in text"
SCHEMA_DROPPED: Final = "the server takes no JSON schema, so the model was asked without one"


class PromptedTools:
    """Rewrites requests and parses replies once a server has refused tools, to the run's end."""

    def __init__(self) -> None:
        self._is_active = False
        self._takes_schema = True

    def apply_remedy(self, broken: ModelError, request: ModelRequest) -> str:
        """Applies the remedy for `broken` and names it; returns "" where there is none here."""
        if isinstance(broken, NoToolSupport) and request.tools:
            self._is_active = True
            return TOOLS_PROMPTED
        may_be_the_schema = self._is_active and "response_format" in request.options
        if may_be_the_schema and not broken.retryable and self._takes_schema:
            self._takes_schema = False
            return SCHEMA_DROPPED
        return ""

    def rewrite_request(self, native: ModelRequest, tools: OfferedTools) -> ModelRequest:
        """Returns `native`, or the same request with its tools and calls as text."""
        if not self._is_active:
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
        """Returns `reply` with its step as a call or an answer, or unchanged where it has none."""
        if not self._is_active:
            return reply
        step = parse_step(reply.text)
        if step is None:
            return reply
        if isinstance(step, str):
            return replace(reply, text=step)
        return replace(reply, text="", tool_calls=(step,))


def format_instructions(tools: OfferedTools) -> str:
    """Formats the instructions, with a line for each tool."""
    return INSTRUCTIONS.format(tools=describe_tools(tools))


def describe_tools(tools: OfferedTools) -> str:
    """Describes each tool in a line: its name, what it is for, its arguments."""
    return "\n".join(map(_describe_tool, tools.values()))


def _describe_tool(tool: OfferedTool) -> str:
    description = _function(tool).get("description")
    parameters = json.dumps(_parameters(tool).get("properties", {}), ensure_ascii=False)
    described = f": {description}" if isinstance(description, str) and description else ""
    return f"- {tool.name}{described} Arguments: {parameters}"


def build_step_schema(tools: OfferedTools) -> JsonObject:
    """Builds the JSON schema of one step: a call of one of `tools`, or the answer."""
    answer: JsonObject = {"type": "string"}
    steps: list[JsonValue] = [
        _object_schema({TOOL_KEY: {"enum": [each.name]}, ARGUMENTS_KEY: _parameters(each)})
        for each in tools.values()
    ]
    return {"anyOf": [*steps, _object_schema({FINAL_KEY: answer})]}


def _object_schema(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _parameters(tool: OfferedTool) -> JsonObject:
    parameters = _function(tool).get("parameters")
    return parameters if isinstance(parameters, dict) else {"type": "object"}


def _function(tool: OfferedTool) -> JsonObject:
    function = tool.schema.get("function")
    return function if isinstance(function, dict) else {}


def parse_step(text: str) -> str | ToolCall | None:
    """Parses `text` into an answer or a call; None where it is no whole step of the protocol."""
    reply = split_reasoning(text).text
    start = reply.find("{")
    if start < 0:
        return None
    try:
        parsed = parse_json(reply, start)
    except LenientJsonError:
        return None
    return _read_step(parsed)


def _read_step(parsed: ParsedJson) -> str | ToolCall | None:
    if not isinstance(parsed.value, dict) or not parsed.is_whole(parsed.value):
        return None
    name = parsed.value.get(TOOL_KEY)
    if isinstance(name, str) and name:
        arguments = parsed.value.get(ARGUMENTS_KEY)
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return ToolCall("", name, written, "text") if ARGUMENTS_KEY in parsed.value else None
    final = parsed.value.get(FINAL_KEY)
    if final is None:
        return None
    return final if isinstance(final, str) else json.dumps(final, ensure_ascii=False)


def write_calls_as_text(messages: Sequence[Message]) -> list[Message]:
    """Rewrites calls as `{"tool", "args"}` text and their results as messages of the user."""
    rewritten: list[Message] = []
    for message in _without_calls(messages):
        last = rewritten[-1] if rewritten else {}
        earlier, later = last.get("content"), message["content"]
        in_a_row = last.get("role") == message["role"] == "user"
        if in_a_row and isinstance(earlier, str) and isinstance(later, str):
            rewritten[-1] = user(f"{earlier}\n\n{later}")
        else:
            rewritten.append(message)
    return rewritten


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
    return json.dumps({TOOL_KEY: function.get("name"), ARGUMENTS_KEY: args}, ensure_ascii=False)

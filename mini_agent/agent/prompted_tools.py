"""The protocol for servers that take no tools: each turn is one JSON object, a call or the end.

`{"tool": name, "args": {...}}` calls a tool, `{"final": text}` answers. A server that can be held
to a JSON schema (Ollama's `format`, OpenAI's `response_format`) yields a step whatever the model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.model import ToolCall
from mini_agent.tool_parsing.found_ import Tools
from mini_agent.tool_parsing.lenient_json import Read, Unreadable, read_value
from mini_agent.tool_parsing.reasoning import without_thoughts
from mini_agent.tools.offered import OfferedTool

INSTRUCTIONS: Final = (
    "You have these tools:\n{tools}\n"
    "Answer every time with one JSON object alone, in one of two forms:\n"
    '{{"tool": NAME, "args": {{...}}}} to call a tool; you are then shown what came of it.\n'
    '{{"final": TEXT}} to answer the task, once you have the result.'
)
CALL: Final = "tool"
ARGUMENTS: Final = "args"
FINAL: Final = "final"


def instructions(tools: Tools) -> str:
    """What the model is told, beside its other instructions."""
    return INSTRUCTIONS.format(tools="\n".join(map(_described, tools.values())))


def schema(tools: Tools) -> JsonObject:
    """The JSON schema of one step: a call of one of `tools`, or the answer."""
    answer: JsonObject = {"type": "string"}
    steps: list[JsonValue] = [
        _object({CALL: {"enum": [each.name]}, ARGUMENTS: _parameters(each)})
        for each in tools.values()
    ]
    return {"anyOf": [*steps, _object({FINAL: answer})]}


def parsed(text: str) -> str | Sequence[ToolCall] | None:
    """The answer or the call that `text` is; None where it is no whole step of the protocol."""
    said = without_thoughts(text).text
    start = said.find("{")
    if start < 0:
        return None
    try:
        read = read_value(said, start)
    except Unreadable:
        return None
    return _step(read)


def _step(read: Read) -> str | Sequence[ToolCall] | None:
    if not isinstance(read.value, dict) or not read.is_whole(read.value):
        return None
    name = read.value.get(CALL)
    if isinstance(name, str) and name:
        arguments = read.value.get(ARGUMENTS)
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        return [ToolCall("", name, written, "text")] if ARGUMENTS in read.value else None
    final = read.value.get(FINAL)
    if final is None:
        return None
    return final if isinstance(final, str) else json.dumps(final, ensure_ascii=False)


def _object(properties: JsonObject) -> JsonObject:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _described(tool: OfferedTool) -> str:
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

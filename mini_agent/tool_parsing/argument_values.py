"""The value of one argument: a text that a tool can take, out of what was given for it."""

from __future__ import annotations

import shlex
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.argument_text import read_arguments
from mini_agent.tool_parsing.programs import meant_program
from mini_agent.tool_parsing.programs_ import does_something, is_python
from mini_agent.tools.names import language_of_tool
from mini_agent.tools.offered import OfferedTool

TEXT: Final = "string"
VALUE_KEYS: Final = ("value", "code", "text", "string", "content")


def meant_value(
    tool: OfferedTool, name: str, value: JsonValue
) -> tuple[JsonValue, tuple[str, ...]]:
    """What is meant by `value` for the parameter `name`, and what was done to it."""
    if name not in tool.required or type_of(tool, name) != TEXT:
        return value, ()
    language = language_of_tool(tool)
    said: tuple[str, ...] = ()
    text = _as_one_text(value, shell=language == "bash")
    if text is not None and text != value:
        said = (f"{name} was made one text",)
    if text is None or language is None:
        return (value if text is None else text), said
    if language == "python" and (inner := _inner_code(text)) is not None:
        text, said = inner, (*said, "the program was taken out of JSON inside a string")
    program = meant_program(text, language)
    return program.text, (*said, *program.repairs)


def _as_one_text(value: JsonValue, *, shell: bool) -> str | None:
    if isinstance(value, dict) and len(value) <= 2:
        inner = next((each for each in value.values() if isinstance(each, str)), None)
        return _valued(value, inner)
    if isinstance(value, list) and value:
        texts = [item for item in value if isinstance(item, str)]
        if len(texts) == len(value):
            return shlex.join(texts) if shell else "\n".join(line.rstrip("\n") for line in texts)
    return value if isinstance(value, str) else None


def _valued(value: JsonObject, only: str | None) -> str | None:
    told = next((value[key] for key in VALUE_KEYS if key in value), None)
    return told if isinstance(told, str) else only if len(value) == 1 else None


def _inner_code(text: str) -> str | None:
    """The program where `text` is {"code": ...} once more, or a quoted string."""
    if text.lstrip()[:1] not in '{"' or (text.lstrip()[:1] == "{" and does_something(text)):
        return None
    read = read_arguments(text)
    if isinstance(read.value, str) and read.value != text and is_python(read.value):
        return read.value
    inner = [each for each in read.named.values() if isinstance(each, str)]
    return inner[0] if len(read.named) == 1 and inner and does_something(inner[0]) else None


def sole_parameter(tool: OfferedTool) -> str | None:
    """The one parameter that a bare text can only be, if there is one."""
    candidates = tool.required or tool.parameters
    if len(candidates) == 1 and type_of(tool, candidates[0]) == TEXT:
        return candidates[0]
    return None


def type_of(tool: OfferedTool, parameter: str) -> str:
    """The JSON type of a parameter; text where the schema says nothing."""
    function = tool.schema.get("function")
    schema = function.get("parameters") if isinstance(function, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    described = properties.get(parameter) if isinstance(properties, dict) else None
    kind = described.get("type") if isinstance(described, dict) else None
    return kind if isinstance(kind, str) else TEXT


def suits(tool: OfferedTool, text: str) -> bool:
    """Whether a text of no name may be what a tool runs; a file's name is no program."""
    language = language_of_tool(tool)
    if language == "python":
        return does_something(meant_program(text, language).text)
    return bool(text.strip()) and not (language == "bash" and text.lstrip()[:1] in "{[")

"""Repairs the programs and texts among the arguments of our own tools."""

from __future__ import annotations

import shlex
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import TEXT_TYPE, parameter_type, parse_arguments
from mini_agent.tool_parsing.programs import has_function_call, is_python, repair_program
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import get_tool_language, is_own_tool

VALUE_KEYS: Final = ("value", "code", "text", "string", "content")


def repair_program_argument(
    tool: OfferedTool, name: str, value: JsonValue
) -> tuple[JsonValue, tuple[str, ...]]:
    """Repair the text `name` of our own tools; returns it with a note for each repair."""
    is_text = name in tool.required and parameter_type(tool, name) == TEXT_TYPE
    if not is_text or not is_own_tool(tool):
        return value, ()
    language = get_tool_language(tool)
    notes: tuple[str, ...] = ()
    text = _join_text(value, shell=language == "bash")
    if text is not None and text != value:
        notes = (f"{name} was made one text",)
    if text is None or language is None:
        return (value if text is None else text), notes
    if language == "python" and (inner := _extract_program(text)) is not None:
        text, notes = inner, (*notes, "the program was taken out of JSON inside a string")
    program = repair_program(text, language)
    return program.text, (*notes, *program.repairs)


def _join_text(value: JsonValue, *, shell: bool) -> str | None:
    if isinstance(value, dict) and len(value) <= 2:
        inner = next((each for each in value.values() if isinstance(each, str)), None)
        return _text_of_object(value, inner)
    if isinstance(value, list) and value:
        texts = [item for item in value if isinstance(item, str)]
        if len(texts) == len(value):
            return shlex.join(texts) if shell else "\n".join(line.rstrip("\n") for line in texts)
    return value if isinstance(value, str) else None


def _text_of_object(value: JsonObject, only: str | None) -> str | None:
    text = next((value[key] for key in VALUE_KEYS if key in value), None)
    return text if isinstance(text, str) else only if len(value) == 1 else None


def _extract_program(text: str) -> str | None:
    """Extract the program if `text` is {"code": ...} once more, or a quoted string."""
    if text.lstrip()[:1] not in '{"' or (text.lstrip()[:1] == "{" and has_function_call(text)):
        return None
    read = parse_arguments(text)
    if isinstance(read.value, str) and read.value != text and is_python(read.value):
        return read.value
    inner = [each for each in read.named.values() if isinstance(each, str)]
    return inner[0] if len(read.named) == 1 and inner and has_function_call(inner[0]) else None

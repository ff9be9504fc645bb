"""The arguments of a call under the tool's own names, its programs as they were meant."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.argument_text import NOT_AN_OBJECT, Arguments, read_arguments
from mini_agent.tool_parsing.argument_values import (
    TEXT,
    meant_value,
    sole_parameter,
    suits,
    type_of,
)
from mini_agent.tool_parsing.call_syntax import read_brackets
from mini_agent.tool_parsing.programs_ import does_something
from mini_agent.tools.names import language_of_tool, spelled, with_own_names
from mini_agent.tools.offered import OfferedTool
from mini_agent.tools.spelling import words_in

WRAPPERS: Final = words_in(
    "arguments args argument parameters params parameter kwargs input inputs properties "
    "toolinput toolargs actioninput payload data body"
)
NO_CONTENT: Final = words_in(
    "file filename filepath path url cwd dir directory language lang name id title description "
    "explanation reason thought thoughts type kind role status workdir"
)


def arguments_for(tool: OfferedTool, given: Arguments) -> Arguments:
    """`given` under the tool's own names, its programs as they were meant."""
    if given.problem:
        return given
    shaped = _by_name(tool, given)
    if shaped.problem:
        return shaped
    given_ones: JsonObject = {}
    given_ones.update((name, value) for name, value in shaped.named.items() if value is not None)
    named = with_own_names(given_ones, tool)
    adopted = _with_the_one_stranger(tool, Arguments(named.arguments))
    notes = [*shaped.repaired, *named.renamed, *adopted.repaired]
    arguments: JsonObject = {}
    for name, value in adopted.named.items():
        arguments[name], said = meant_value(tool, name, value)
        notes.extend(said)
    return Arguments(arguments, tuple(notes))


def _by_name(tool: OfferedTool, given: Arguments) -> Arguments:
    value = _by_keyword(tool, given.value)
    if isinstance(value, list):
        value = _of_list(tool, value)
    if isinstance(value, dict):
        return _unwrapped(tool, replace(given, value=value))
    parameter = sole_parameter(tool)
    text = value if isinstance(value, str) else None
    if parameter and isinstance(value, int | float) and not isinstance(value, bool):
        text = str(value) if language_of_tool(tool) is None else None
    if text is None or not parameter or not suits(tool, text):
        return replace(given, value={}, problem=f"{NOT_AN_OBJECT}, but {json.dumps(value):.80}")
    said = f"the bare text was taken as {parameter}"
    return replace(given, value={parameter: text}, repaired=(*given.repaired, said))


def _by_keyword(tool: OfferedTool, value: JsonValue) -> JsonValue:
    """Arguments in Python's syntax, `code="print(1)"`, and a program that is its own key."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, held),) = value.items()
        is_program = language_of_tool(tool) == "python" and does_something(key)
        return key if is_program and held in (None, "", {}, True) else value
    if not isinstance(value, str):
        return value
    given = read_brackets(f"({value})", 0)
    named = given.arguments if given and given.is_whole and given.end == len(value) + 2 else None
    if not isinstance(named, dict):
        return value
    return named if set(with_own_names(named, tool).arguments) & set(tool.parameters) else value


def _of_list(tool: OfferedTool, items: list[JsonValue]) -> JsonValue:
    pairs = {
        str(item["name"]): item["value"]
        for item in items
        if isinstance(item, dict) and set(item) >= {"name", "value"}
    }
    if pairs:
        return dict(pairs)
    if len(items) == 1:
        return items[0]
    texts = [item for item in items if isinstance(item, str)]
    if items and len(texts) == len(items) and language_of_tool(tool) not in (None, "bash"):
        return "\n".join(texts)
    return list(items)


def _unwrapped(tool: OfferedTool, given: Arguments) -> Arguments:
    """Without an object around the arguments: {"arguments": {...}}."""
    for key, held in given.named.items():
        if spelled(key) not in WRAPPERS or key in tool.parameters or len(given.named) > 3:
            continue
        is_text = isinstance(held, str) and held.lstrip().startswith("{")
        inner = read_arguments(held).value if isinstance(held, str) and is_text else held
        if isinstance(inner, dict):
            said = f"the arguments were taken out of {key}"
            return Arguments(inner, (*given.repaired, said))
    return given


def _with_the_one_stranger(tool: OfferedTool, given: Arguments) -> Arguments:
    """Where one text is missing and one text of another name is there, they are the same."""
    missing = [name for name in tool.required if name not in given.named]
    strangers = [
        name
        for name, value in given.named.items()
        if name not in tool.parameters
        and spelled(name) not in NO_CONTENT
        and isinstance(value, str)
        and suits(tool, value)
    ]
    if len(missing) != 1 or len(strangers) != 1 or type_of(tool, missing[0]) != TEXT:
        return given
    said = f"argument {strangers[0]} was taken as {missing[0]}"
    renamed = {missing[0] if n == strangers[0] else n: v for n, v in given.named.items()}
    return Arguments(renamed, (said,))

"""Unpacks native tool calls that hold other calls or have everything in their name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import replace_surrogates
from mini_agent.model import ToolCall
from mini_agent.tool_parsing.arguments import parse_arguments, parse_bracketed_arguments
from mini_agent.tool_parsing.json_calls import find_json_calls
from mini_agent.tool_parsing.lenient_json import LenientJsonError, ParsedJson, parse_json
from mini_agent.tool_parsing.text_spans import OfferedTools, ParsedCall
from mini_agent.tools.names import find_tool_by_name

NAME_WITH_ARGUMENTS: Final = re.compile(r"\s*([\w.-]+)\s*(?=[({])")
EMPTY_ARGUMENTS: Final = ("", "{}", "null", "None", '""')


def unpack_call(call: ToolCall, tools: OfferedTools) -> Iterator[ToolCall]:
    """Yield `call`, or the calls inside it (`multi_tool_use.parallel`, a name that is JSON)."""
    name = replace_surrogates(call.name)
    inner_calls = (
        () if name in tools else _parse_name(name, call, tools) or _parse_arguments(call, tools)
    )
    if not inner_calls:
        yield replace(call, name=_strip_tokens(name))
    for number, each in enumerate(inner_calls):
        note = (f"a call of {each.name} was found inside the call {name:.60}",)
        yield ToolCall(
            call.id if not number else "", each.name, each.arguments_text, "call", "", note
        )


def _strip_tokens(name: str) -> str:
    """Remove the model's tokens that the server left on a name."""
    return re.split(r"<\||<\uff5c", name)[0].strip() or name


def _parse_name(name: str, call: ToolCall, tools: OfferedTools) -> tuple[ParsedCall, ...]:
    if call.arguments.strip() not in EMPTY_ARGUMENTS:
        return ()
    if name.lstrip()[:1] in ("{", "["):
        return _parse_json_name(name, tools)
    match = NAME_WITH_ARGUMENTS.match(name)
    if match is None or find_tool_by_name(match[1], tools) is None:
        return ()
    if name[match.end()] == "{":
        return (ParsedCall(match[1], name[match.end() :], is_explicit=True),)
    parsed = parse_bracketed_arguments(name, match.end())
    if parsed is None or not parsed.is_whole or parsed.arguments == {}:
        return ()
    return (ParsedCall(match[1], parsed.arguments, is_explicit=True),)


def _parse_json_name(text: str, tools: OfferedTools) -> tuple[ParsedCall, ...]:
    try:
        read = parse_json(text, len(text) - len(text.lstrip()))
    except LenientJsonError:
        return ()
    calls = find_json_calls(read, tools)
    return calls if all(each.is_whole for each in calls) else ()


def _parse_arguments(call: ToolCall, tools: OfferedTools) -> tuple[ParsedCall, ...]:
    """Parse the calls in the arguments of a call that names no tool itself."""
    if find_tool_by_name(call.name, tools) is not None:
        return ()
    parsed = parse_arguments(replace_surrogates(call.arguments))
    if parsed.problem or not isinstance(parsed.value, dict | list):
        return ()
    return tuple(
        each
        for each in _find_nested_calls(parsed.value, tools)
        if find_tool_by_name(each.name, tools) is not None
    )


def _find_nested_calls(value: JsonValue, tools: OfferedTools) -> Iterator[ParsedCall]:
    for each in find_json_calls(ParsedJson(value, 0), tools):
        if each.arguments is not value:
            yield each

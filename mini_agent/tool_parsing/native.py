"""Calls that a server lists, where one of them holds others, or is all in its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import encodable
from mini_agent.model import ToolCall
from mini_agent.tool_parsing.arguments import read_arguments, read_brackets
from mini_agent.tool_parsing.found import Tools, Wanted
from mini_agent.tool_parsing.json_calls import wanted_in
from mini_agent.tool_parsing.lenient_json import Read, Unreadable, read_value
from mini_agent.tools.names import tool_meant

NAME_WITH_MORE: Final = re.compile(r"\s*([\w.-]+)\s*(?=[({])")
EMPTY: Final = ("", "{}", "null", "None", '""')


def opened_up(call: ToolCall, tools: Tools) -> Iterator[ToolCall]:
    """`call`, or the calls that it holds: `multi_tool_use.parallel`, a name that is JSON."""
    name = encodable(call.name)
    wanted = () if name in tools else _in_name(name, call, tools) or _in_arguments(call, tools)
    if not wanted:
        yield replace(call, name=_own_part(name))
    for number, each in enumerate(wanted):
        said = (f"a call of {each.name} was found inside the call {name:.60}",)
        yield ToolCall(call.id if not number else "", each.name, each.written, "call", "", said)


def _own_part(name: str) -> str:
    """A name without the tokens of its model that the server left on it."""
    return re.split(r"<\||<\uff5c", name)[0].strip() or name


def _in_name(name: str, call: ToolCall, tools: Tools) -> tuple[Wanted, ...]:
    if call.arguments.strip() not in EMPTY:
        return ()
    if name.lstrip()[:1] in ("{", "["):
        return _whole(name, tools)
    found = NAME_WITH_MORE.match(name)
    if found is None or tool_meant(found[1], tools) is None:
        return ()
    if name[found.end()] == "{":
        return (Wanted(found[1], name[found.end() :], is_explicit=True),)
    given = read_brackets(name, found.end())
    if given is None or not given.is_whole or given.arguments == {}:
        return ()
    return (Wanted(found[1], given.arguments, is_explicit=True),)


def _whole(text: str, tools: Tools) -> tuple[Wanted, ...]:
    try:
        read = read_value(text, len(text) - len(text.lstrip()))
    except Unreadable:
        return ()
    wanted = wanted_in(read, tools)
    return wanted if all(each.is_whole for each in wanted) else ()


def _in_arguments(call: ToolCall, tools: Tools) -> tuple[Wanted, ...]:
    """The calls in the arguments of one that names no tool itself."""
    if tool_meant(call.name, tools) is not None:
        return ()
    given = read_arguments(encodable(call.arguments))
    if given.problem or not isinstance(given.value, dict | list):
        return ()
    return tuple(
        each for each in _named_in(given.value, tools) if tool_meant(each.name, tools) is not None
    )


def _named_in(value: JsonValue, tools: Tools) -> Iterator[Wanted]:
    for each in wanted_in(Read(value, 0), tools):
        if each.arguments is not value:
            yield each

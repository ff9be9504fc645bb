"""The calls that a JSON value says, whatever its keys are named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import Arguments, arguments_for, read_arguments
from mini_agent.tool_parsing.found import Tools, Wanted
from mini_agent.tool_parsing.lenient_json import Read
from mini_agent.tool_parsing.resolve import lone_arguments_tool
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import (
    language_of_tool,
    says_only_code,
    spelled,
    tool_meant,
    with_own_names,
    words_in,
    words_of,
)

SEVERAL: Final = words_in(
    "toolcalls toolcall functioncalls functioncall calls tooluses tooluse actions tools steps "
    "functions commands toolrequests invocations"
)
ONE: Final = words_in("function tool action call command toolcall functioncall tooluse invoke")
TOOL_KEYS: Final = (
    "tool",
    "toolname",
    "functionname",
    "recipientname",
    "function",
    "func",
    "action",
    "actionname",
    "toolid",
    "toolused",
    "method",
    "call",
    "api",
)
NAME_KEYS: Final = (*TOOL_KEYS, "name")
ARGUMENT_KEYS: Final = (
    "arguments",
    "args",
    "parameters",
    "params",
    "actioninput",
    "toolinput",
    "input",
    "inputs",
    "kwargs",
    "argument",
    "parameter",
    "toolargs",
    "toolkwargs",
    "toolarguments",
    "toolparameters",
    "functionargs",
    "functionarguments",
    "functionparameters",
    "argumentsjson",
    "payload",
    "with",
    "properties",
)
BESIDE: Final = words_in("id type index callid toolcallid status thought thoughts reason")
IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w.:/-]{1,63}")
VERBS: Final = words_in(
    "get run exec execute search find fetch call read write list create delete update send "
    "open calculate compute query lookup make show set add check browse download"
)


def wanted_in(read: Read, tools: Tools) -> tuple[Wanted, ...]:
    """The calls in the value that was read, in its order."""
    return tuple(_in_value(read.value, read, tools))


def sounds_like_a_tool(name: str) -> bool:
    """Whether a name that nobody has is a tool's rather than a person's or a thing's."""
    if not IDENTIFIER.fullmatch(name):
        return False
    words = words_of(name)
    return len(words) > 1 or (bool(words) and words[0] in VERBS) or says_only_code(name)


def _in_value(value: JsonValue, read: Read, tools: Tools) -> Iterator[Wanted]:
    if isinstance(value, list):
        for item in value:
            yield from _in_value(item, read, tools)
    elif isinstance(value, dict) and not is_schema(value):
        yield from _in_object(value, read, tools)


def _in_object(value: JsonObject, read: Read, tools: Tools) -> Iterator[Wanted]:
    for key, inner in value.items():
        if spelled(key) in SEVERAL and isinstance(inner, list):
            yield from _in_value(inner, read, tools)
            return
        if isinstance(inner, dict) and (spelled(key) in ONE or _is_request(value, key)):
            beside = {name: each for name, each in value.items() if name != key}
            yield from _in_object({**beside, **inner}, read, tools)
            return
    wanted = _named(value, read, tools) or _keyed(value, read, tools) or _lone(value, read, tools)
    if wanted:
        yield wanted


def _are_named(arguments: JsonValue) -> bool:
    """Whether they are an object, or the JSON of one that is not empty."""
    if isinstance(arguments, str):
        return arguments.lstrip()[:1] == "{" and bool(read_arguments(arguments).named)
    return isinstance(arguments, dict)


def _is_request(value: JsonObject, key: str) -> bool:
    """Whether the call is the parameters of MCP's own request."""
    return key == "params" and value.get("method") == "tools/call"


def _named(value: JsonObject, read: Read, tools: Tools) -> Wanted | None:
    """{"name": ..., "arguments": ...}, or the arguments flat beside the name."""
    keys = {spelled(key): key for key in value}
    named = [keys[key] for key in NAME_KEYS if key in keys and isinstance(value[keys[key]], str)]
    if not named:
        return None
    known = (key for key in named if tool_meant(str(value[key]), tools))
    key = next(known, named[0])
    name = str(value[key])
    holder = next(
        (keys[each] for each in ARGUMENT_KEYS if each in keys and keys[each] != key), None
    )
    if holder is None:
        return _flat(name, key, value, read, tools)
    arguments = value[holder]
    is_whole = read.is_whole(arguments)
    tool = tool_meant(name, tools)
    if tool is None:
        stated = spelled(key) in TOOL_KEYS or sounds_like_a_tool(name)
        alone = set(keys) <= {spelled(key), spelled(holder), *BESIDE}
        explicit = stated and alone and _are_named(arguments)
        return Wanted(name, arguments, is_whole, is_explicit=explicit)
    is_given = _is_provided(tool, arguments) or _is_understood(tool, arguments)
    if not (_is_its_own_name(name, tool) or is_given or not is_whole):
        return None
    return Wanted(name, arguments, is_whole, is_explicit=True)


def _flat(name: str, key: str, value: JsonObject, read: Read, tools: Tools) -> Wanted | None:
    tool = tool_meant(name, tools)
    if tool is None:
        return None
    rest = {each: inner for each, inner in value.items() if each != key}
    rest = {each: inner for each, inner in rest.items() if spelled(each) not in BESIDE}
    is_whole = id(value) not in read.unclosed and read.is_whole(value)
    if not is_whole and _is_its_own_name(name, tool):
        return Wanted(name, None, is_whole=False)
    needs_nothing = not tool.required and not rest and _is_its_own_name(name, tool)
    if needs_nothing or (rest and _is_provided(tool, rest)):
        return Wanted(name, rest, is_explicit=True)
    return None


def _keyed(value: JsonObject, read: Read, tools: Tools) -> Wanted | None:
    """{"exec_python": {...}}: the tool's name as the one key."""
    if len(value) != 1:
        return None
    ((name, arguments),) = value.items()
    tool = tool_meant(name, tools)
    if tool is None or not isinstance(arguments, dict | str):
        return None
    if not _is_its_own_name(name, tool) and isinstance(arguments, str):
        return None
    if not _is_provided(tool, arguments) and read.is_whole(arguments):
        return None
    return Wanted(name, arguments, read.is_whole(arguments), is_explicit=True)


def _lone(value: JsonObject, read: Read, tools: Tools) -> Wanted | None:
    """{"code": ...}: arguments without a name."""
    tool = lone_arguments_tool(value, tools)
    if tool is None:
        return None
    return Wanted(tool.name, value, read.is_whole(value), is_explicit=True)


def _is_its_own_name(name: str, tool: OfferedTool) -> bool:
    return words_of(name)[-len(words_of(tool.name)) :] == words_of(tool.name)


def _is_provided(tool: OfferedTool, arguments: JsonValue) -> bool:
    """Whether `arguments` hold what the tool must have."""
    if isinstance(arguments, str):
        read = read_arguments(arguments)
        if not read.named:
            return bool(arguments.strip()) and len(tool.required) == 1 and not read.problem
        arguments = read.named
    if isinstance(arguments, list):
        return bool(arguments) and len(tool.required) == 1
    if not isinstance(arguments, dict):
        return False
    named = with_own_names(arguments, tool).arguments
    return all(name in named for name in tool.required)


def _is_understood(tool: OfferedTool, arguments: JsonValue) -> bool:
    """The same for a program under a name that nobody knows, which has to be one."""
    if language_of_tool(tool) != "python" or not isinstance(arguments, dict):
        return False
    meant = arguments_for(tool, Arguments(arguments))
    return not meant.problem and all(name in meant.named for name in tool.required)


def is_schema(value: JsonObject) -> bool:
    """Whether it is a tool's description, given back, rather than a call of it."""
    function = value.get("function", value)
    parameters = function.get("parameters") if isinstance(function, dict) else None
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(properties, dict):
        return False
    return all(isinstance(described, dict) for described in properties.values())

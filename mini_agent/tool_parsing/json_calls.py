"""Finds the tool calls in a JSON value, under whatever key names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import ParsedArguments, parse_arguments
from mini_agent.tool_parsing.lenient_json import ParsedJson
from mini_agent.tool_parsing.resolve import match_unnamed_arguments
from mini_agent.tool_parsing.text_spans import OfferedTools, ParsedCall
from mini_agent.tool_parsing.tool_arguments import normalize_arguments
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import (
    find_tool_by_name,
    get_tool_language,
    is_generic_code_tool,
    normalize_spelling,
    resolve_argument_aliases,
    split_name,
    split_words,
)

CALL_LIST_KEYS: Final = split_words(
    "toolcalls toolcall functioncalls functioncall calls tooluses tooluse actions tools steps "
    "functions commands toolrequests invocations"
)
SINGLE_CALL_KEYS: Final = split_words(
    "function tool action call command toolcall functioncall tooluse invoke"
)
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
METADATA_KEYS: Final = split_words("id type index callid toolcallid status thought thoughts reason")
IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w.:/-]{1,63}")
TOOL_VERBS: Final = split_words(
    "get run exec execute search find fetch call read write list create delete update send "
    "open calculate compute query lookup make show set add check browse download"
)


def find_json_calls(read: ParsedJson, tools: OfferedTools) -> tuple[ParsedCall, ...]:
    """Find the calls in a parsed value, in order."""
    return tuple(_find_in_value(read.value, read, tools))


def _find_in_value(value: JsonValue, read: ParsedJson, tools: OfferedTools) -> Iterator[ParsedCall]:
    if isinstance(value, list):
        for item in value:
            yield from _find_in_value(item, read, tools)
    elif isinstance(value, dict) and not is_tool_schema(value):
        yield from _find_in_object(value, read, tools)


def _find_in_object(
    value: JsonObject, read: ParsedJson, tools: OfferedTools
) -> Iterator[ParsedCall]:
    for key, inner in value.items():
        if normalize_spelling(key) in CALL_LIST_KEYS and isinstance(inner, list):
            yield from _find_in_value(inner, read, tools)
            return
        if isinstance(inner, dict) and (
            normalize_spelling(key) in SINGLE_CALL_KEYS or _is_mcp_params(value, key)
        ):
            beside = {name: each for name, each in value.items() if name != key}
            yield from _find_in_object({**beside, **inner}, read, tools)
            return
    call = (
        _parse_named_call(value, read, tools)
        or _parse_keyed_call(value, read, tools)
        or _parse_unnamed_call(value, read, tools)
    )
    if call:
        yield call


def _is_mcp_params(value: JsonObject, key: str) -> bool:
    """Tell whether `key` holds the parameters of an MCP `tools/call` request."""
    return key == "params" and value.get("method") == "tools/call"


def _parse_named_call(
    value: JsonObject, read: ParsedJson, tools: OfferedTools
) -> ParsedCall | None:
    """{"name": ..., "arguments": ...}, or the arguments flat beside the name."""
    keys = {normalize_spelling(key): key for key in value}
    named = [keys[key] for key in NAME_KEYS if key in keys and isinstance(value[keys[key]], str)]
    if not named:
        return None
    known = (key for key in named if find_tool_by_name(str(value[key]), tools))
    key = next(known, named[0])
    name = str(value[key])
    holder = next(
        (keys[each] for each in ARGUMENT_KEYS if each in keys and keys[each] != key), None
    )
    if holder is None:
        return _parse_flat_call(name, key, value, read, tools)
    arguments = value[holder]
    is_whole = read.is_whole(arguments)
    tool = find_tool_by_name(name, tools)
    if tool is None:
        stated = normalize_spelling(key) in TOOL_KEYS or is_plausible_tool_name(name)
        alone = set(keys) <= {normalize_spelling(key), normalize_spelling(holder), *METADATA_KEYS}
        explicit = stated and alone and _are_named_arguments(arguments)
        return ParsedCall(name, arguments, is_whole, is_explicit=explicit)
    is_given = _has_required_arguments(tool, arguments) or _has_repairable_program(tool, arguments)
    if not (_is_exact_name(name, tool) or is_given or not is_whole):
        return None
    return ParsedCall(name, arguments, is_whole, is_explicit=True)


def _parse_flat_call(
    name: str, key: str, value: JsonObject, read: ParsedJson, tools: OfferedTools
) -> ParsedCall | None:
    tool = find_tool_by_name(name, tools)
    if tool is None:
        return None
    rest = {each: inner for each, inner in value.items() if each != key}
    rest = {
        each: inner for each, inner in rest.items() if normalize_spelling(each) not in METADATA_KEYS
    }
    is_whole = id(value) not in read.unclosed and read.is_whole(value)
    if not is_whole and _is_exact_name(name, tool):
        return ParsedCall(name, None, is_whole=False)
    needs_nothing = not tool.required and not rest and _is_exact_name(name, tool)
    if needs_nothing or (rest and _has_required_arguments(tool, rest)):
        return ParsedCall(name, rest, is_explicit=True)
    return None


def _is_exact_name(name: str, tool: OfferedTool) -> bool:
    return split_name(name)[-len(split_name(tool.name)) :] == split_name(tool.name)


def _has_required_arguments(tool: OfferedTool, arguments: JsonValue) -> bool:
    """Tell whether `arguments` have everything that the tool requires."""
    if isinstance(arguments, str):
        read = parse_arguments(arguments)
        if not read.named:
            return bool(arguments.strip()) and len(tool.required) == 1 and not read.problem
        arguments = read.named
    if isinstance(arguments, list):
        return bool(arguments) and len(tool.required) == 1
    if not isinstance(arguments, dict):
        return False
    named = resolve_argument_aliases(arguments, tool).arguments
    return all(name in named for name in tool.required)


def _are_named_arguments(arguments: JsonValue) -> bool:
    """Tell whether they are an object, or the JSON of one that is not empty."""
    if isinstance(arguments, str):
        return arguments.lstrip()[:1] == "{" and bool(parse_arguments(arguments).named)
    return isinstance(arguments, dict)


def _has_repairable_program(tool: OfferedTool, arguments: JsonValue) -> bool:
    """Tell whether a program under an unknown name gives all that the tool requires."""
    if get_tool_language(tool) != "python" or not isinstance(arguments, dict):
        return False
    meant = normalize_arguments(tool, ParsedArguments(arguments))
    return not meant.problem and all(name in meant.named for name in tool.required)


def _parse_keyed_call(
    value: JsonObject, read: ParsedJson, tools: OfferedTools
) -> ParsedCall | None:
    """{"exec_python": {...}}: the tool's name as the one key."""
    if len(value) != 1:
        return None
    ((name, arguments),) = value.items()
    tool = find_tool_by_name(name, tools)
    if tool is None or not isinstance(arguments, dict | str):
        return None
    if not _is_exact_name(name, tool) and isinstance(arguments, str):
        return None
    if not _has_required_arguments(tool, arguments) and read.is_whole(arguments):
        return None
    return ParsedCall(name, arguments, read.is_whole(arguments), is_explicit=True)


def _parse_unnamed_call(
    value: JsonObject, read: ParsedJson, tools: OfferedTools
) -> ParsedCall | None:
    """{"code": ...}: arguments without a name."""
    tool = match_unnamed_arguments(value, tools)
    if tool is None:
        return None
    return ParsedCall(tool.name, value, read.is_whole(value), is_explicit=True)


def is_plausible_tool_name(name: str) -> bool:
    """Tell whether an unknown name is a tool's rather than a person's or a thing's."""
    if not IDENTIFIER.fullmatch(name):
        return False
    words = split_name(name)
    return len(words) > 1 or (bool(words) and words[0] in TOOL_VERBS) or is_generic_code_tool(name)


def is_tool_schema(value: JsonObject) -> bool:
    """Tell whether `value` is a tool's description rather than a call."""
    function = value.get("function", value)
    parameters = function.get("parameters") if isinstance(function, dict) else None
    properties = parameters.get("properties") if isinstance(parameters, dict) else None
    if not isinstance(properties, dict):
        return False
    return all(isinstance(described, dict) for described in properties.values())

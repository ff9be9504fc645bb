"""Parses the body between a call's markers: JSON, name and JSON, XML, brackets."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import parse_bracketed_arguments
from mini_agent.tool_parsing.json_calls import find_json_calls
from mini_agent.tool_parsing.lenient_json import LenientJsonError, ParsedJson, parse_bounded_json
from mini_agent.tool_parsing.text_spans import OfferedTools, ParsedCall
from mini_agent.tools.names import find_tool_by_name, split_words

NAME: Final = re.compile(r"[A-Za-z_][\w./:-]*")
NON_NAME_WORDS: Final = split_words(
    "function functions json code call tool_call name arguments args args_json parameters input to "
    "constrain begin commentary analysis final channel message call_id tool type content assistant "
    "recipient and with tool_name action tool_sep sep escape xml text parameter param arg_key "
    "arg_value"
)
CALL_ID: Final = re.compile(r"\[CALL_ID\]\w*")
GAP: Final = re.compile(r"(?:[\s,;]|<\|?/?(?:sep|tool▁sep)\|?>)*")
CALL_OPENING: Final = re.compile(
    r"[\s\[]*(?:print\s*\(\s*)?(?:\w+\s*=\s*)?(?:await\s+)?([A-Za-z_][\w.]*)\s*(?=\()"
)
PARAMETER: Final = re.compile(
    r"<(?:\w{1,12}:)?(?:parameter|param|arg|argument)(?:=|\s+name\s*=\s*)[\"']?([\w.-]+)[\"']?[^<>]{0,40}>"
    r"(.*?)(?:</(?:\w{1,12}:)?(?:parameter|param|arg|argument)>"
    r"|(?=<(?:parameter|param|arg|argument)[= ])"
    r"|(?=</(?:function|invoke|tool_call)>)|\Z)",
    re.DOTALL,
)
GLM_ARGUMENT: Final = re.compile(
    r"<arg_key>\s*(.{1,60}?)\s*</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL
)
ELEMENT: Final = re.compile(r"<([A-Za-z_][\w-]{0,40})>(.*?)</\1>", re.DOTALL)
NAME_ELEMENTS: Final = ("name", "tool_name", "tool", "function", "function_name", "invoke")
ARGUMENT_ELEMENTS: Final = ("arguments", "args", "parameters", "params", "input", "tool_input")
ESCAPED_VALUE: Final = re.compile(r"(\w+)\s*:\s*<escape>(.*?)<escape>", re.DOTALL)
OPENING_TAG: Final = re.compile(r"<[A-Za-z_][\w-]{0,40}>")
MAX_ELEMENTS: Final = 50
MAX_HEAD_CHARS: Final = 200
NEXT_CALL: Final = re.compile(r"[{\[]|[A-Za-z_][\w.-]{0,63}(?:\[CALL_ID\]\w+)?(?:\[ARGS\])?\{")


@dataclass(frozen=True, slots=True)
class CallBody:
    """The calls of one marked span; `end` is the index after the last of them."""

    calls: tuple[ParsedCall, ...]
    end: int


def parse_body(
    text: str, start: int, tools: OfferedTools, name: str, limit: int | None
) -> CallBody | None:
    """Parse the calls whose JSON begins at `start`, with or without a name before it.

    The JSON itself tells where it ends, at most at `limit`, where the closing marker is. `name` is
    the tool that the marker names.
    """
    calls: list[ParsedCall] = []
    end = start
    while step := _parse_json_step(text, skip_gap(text, end), tools, "" if calls else name, limit):
        calls.extend(step.calls)
        end = step.end
        if not NEXT_CALL.match(text, skip_gap(text, end)):
            break
    return CallBody(tuple(calls), end) if calls else None


def skip_gap(text: str, start: int) -> int:
    """The index after the space and separators at `start`."""
    gap = GAP.match(text, start)
    return gap.end() if gap else start


def find_tool_name(head: str, tools: OfferedTools) -> str:
    """Find a tool's name among the words of `head`, else an unknown name, else nothing."""
    words = [word for word in NAME.findall(head) if word.lower() not in NON_NAME_WORDS]
    if len(words) > 4:
        return ""
    return next(
        (word for word in words if find_tool_by_name(word, tools)), words[0] if words else ""
    )


def _parse_json_step(
    text: str, start: int, tools: OfferedTools, name: str, limit: int | None
) -> CallBody | None:
    opening = _find_json_start(text, start)
    if opening is None or (limit is not None and opening > limit):
        return None
    head = CALL_ID.sub("", text[start:opening])
    if "(" in head or "<parameter" in head or "<arg_key" in head:
        return None
    try:
        read = parse_bounded_json(text, opening, limit)
    except LenientJsonError:
        return None
    calls = _parse_json_calls(read, tools, find_tool_name(head, tools) or name)
    return CallBody(tuple(calls), read.end) if calls else None


def _find_json_start(text: str, start: int) -> int | None:
    """The index where the JSON begins, at once or after a head of a line or two."""
    for bracket in range(start, min(start + MAX_HEAD_CHARS, len(text))):
        if text[bracket] == "{" or (text[bracket] == "[" and bracket == start):
            return bracket
    return None


def _parse_json_calls(read: ParsedJson, tools: OfferedTools, name: str) -> list[ParsedCall]:
    inner = list(find_json_calls(read, tools))
    if name:
        inner = [each for each in inner if not _is_unnamed(each, read)]
    if inner:
        return [replace(each, is_explicit=True) for each in inner]
    if name:
        return [ParsedCall(name, read.value, _is_whole(read), is_explicit=True)]
    if _is_cut_before_a_name(read):
        return [ParsedCall("", None, is_whole=False, is_explicit=True)]
    return [_parse_unknown_call(read.value)] if _parse_unknown_call(read.value).name else []


def _is_unnamed(call: ParsedCall, read: ParsedJson) -> bool:
    return call.arguments is read.value


def _is_whole(read: ParsedJson) -> bool:
    return read.is_whole(read.value) and not read.is_cut


def _is_cut_before_a_name(read: ParsedJson) -> bool:
    return read.is_cut and isinstance(read.value, dict)


def _parse_unknown_call(value: JsonValue) -> ParsedCall:
    """Parse a call by an unknown name: between markers it is a call all the same."""
    named = value.get("name", "") if isinstance(value, dict) else ""
    arguments = value.get("arguments", value.get("parameters")) if isinstance(value, dict) else None
    return ParsedCall(named if isinstance(named, str) else "", arguments, is_explicit=True)


def parse_bounded_body(body: str, tools: OfferedTools, name: str = "") -> tuple[ParsedCall, ...]:
    """Parse a body without JSON at its start; `body` is all of it."""
    return tuple(_parse_parameters(body, tools, name)) or parse_bracketed_calls(body, 0)[0]


def _parse_parameters(body: str, tools: OfferedTools, name: str) -> list[ParsedCall]:
    """Parse XML: `<parameter=code>`, `<arg_key>`, or an element for each argument."""
    arguments: JsonObject = {}
    for pattern in (
        (PARAMETER, GLM_ARGUMENT, ESCAPED_VALUE) if _has_few_elements(body) else (PARAMETER,)
    ):
        arguments.update((key.strip(), _parse_value(value)) for key, value in pattern.findall(body))
    head = body.split("<", 1)[0][:MAX_HEAD_CHARS]
    elements = dict(ELEMENT.findall(body)) if _has_few_elements(body) else {}
    named = next((elements[each].strip() for each in NAME_ELEMENTS if each in elements), "")
    name = name or (named if NAME.fullmatch(named) else "") or find_tool_name(head, tools)
    if name and not arguments:
        nested = next((elements[each] for each in ARGUMENT_ELEMENTS if each in elements), None)
        rest = {
            key: _parse_value(inner) for key, inner in elements.items() if key not in NAME_ELEMENTS
        }
        if nested is not None:
            inner = dict(ELEMENT.findall(nested))
            return [ParsedCall(name, {**inner} or nested.strip(), is_explicit=True)]
        arguments.update(rest)
    return [ParsedCall(name, arguments, is_explicit=True)] if name and arguments else []


def _has_few_elements(body: str) -> bool:
    """Tell whether elements may be searched: each unclosed one is searched to the end."""
    return len(OPENING_TAG.findall(body)) <= MAX_ELEMENTS


def _parse_value(written: str) -> str:
    """Parse an element's value, which XML puts on lines of its own."""
    value = written.removeprefix("\n").removesuffix("\n")
    if "<![CDATA[" in value:
        return value.strip().removeprefix("<![CDATA[").removesuffix("]]>").strip("\n")
    return html.unescape(value) if "<" not in value and "&lt;" in value else value


def parse_bracketed_calls(text: str, start: int) -> tuple[tuple[ParsedCall, ...], int]:
    """Parse `name(arg="x")`, or a list of such; returns the calls and their end."""
    calls: list[ParsedCall] = []
    position = start
    while named := CALL_OPENING.match(text, position):
        parsed = parse_bracketed_arguments(text, named.end())
        if parsed is None:
            break
        name = named[1].removesuffix(".call")
        calls.append(ParsedCall(name, parsed.arguments, parsed.is_whole, is_explicit=True))
        position = skip_gap(text, parsed.end)
    closing = re.compile(r"\s*\]").match(text, position)
    return tuple(calls), closing.end() if closing and calls else position

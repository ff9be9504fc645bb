"""Parses calls written as labelled lines: ReAct's `Action:`, a call on a line, YAML arguments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import parse_bracketed_arguments
from mini_agent.tool_parsing.call_bodies import parse_body, skip_gap
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_bounded_json
from mini_agent.tool_parsing.programs import extract_leading_program
from mini_agent.tool_parsing.text_spans import (
    SPECIAL_TOKENS,
    OfferedTools,
    ParsedCall,
    TextSpan,
)
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import find_tool_by_name, get_tool_language

YAML_KEY: Final = re.compile(r"([A-Za-z_]\w{0,40}):[ \t]*(.*)")
YAML_BLOCK: Final = re.compile(r"[|>][-+]?\s*")
NAME_LABEL: Final = (
    r"Action|Name|Tool|Tool[ _]Name|Tool[ _]Used|Function|Function[ _]Name|Tool[ _]Call"
)
INPUT_LABEL: Final = (
    r"Action[ _]?Input|Tool[ _]?Input|Input|Arguments?|Args|Parameters?|Params|"
    r"Function[ _](?:Arguments|Input|Args)|Tool[ _](?:Arguments|Args|Parameters)"
)
ACTION_START: Final = (
    rf"(?i:^[ \t*_#>-]*(?:(?P<sure>Action|Tool|Function)[^:\n]{{0,10}}|{NAME_LABEL})"
    r"[*_ \t]*\d?[*_ \t]*:[*_ \t]*[`\"'\[]*)"
    r"(?P<action>[A-Za-z_][\w.:-]*(?: (?i:REPL|Interpreter|Code))?)[`\"'\]*]*[ \t]*\n+"
    rf"(?i:[ \t*_#>-]*(?:{INPUT_LABEL})[*_ \t]*\d?[*_ \t]*:[*_]*[ \t]*)"
)
BRACKETED_ACTION: Final = (
    r"(?i:^[ \t*_#>-]*Action[*_ \t]*\d?[*_ \t]*:)[*_ \t]*"
    r"(?P<acting>[A-Za-z_][\w.]*)\[(?P<given>.*)\][ \t]*$"
)
RAW_INPUT_END: Final = re.compile(
    rf"\n[ \t*_#>-]*(?:Observation|Thought|Action|Final Answer|Note)\b|{SPECIAL_TOKENS}|\Z"
)
FENCED_INPUT: Final = re.compile(r"\s*```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*(?:```|\Z)", re.DOTALL)
CALL_VERB: Final = (
    r"(?:(?:action|tool|tool[ _]call|function|function[ _]call|call|calling|invoke|invoking|using|"
    r"use|execute|executing)\s*:?\s+|(?:print|await|return)\s*\(?\s*|\w+\s*=\s*(?:await\s+)?)?"
)
NAMESPACE_PREFIX: Final = r"(?:functions?\.|tools?\.|default_api\.|assistant\.)?"
LINE_END: Final = re.compile(r"[\s)\]`;.*]*?(?:\n|\Z)")


def parse_action(opened: re.Match[str], tools: OfferedTools) -> TextSpan | None:
    """Parse the action whose input begins where `opened` ends."""
    text, start = opened.string, opened.end()
    name = opened["action"]
    note = "a call was found as Action and Action Input"
    fenced = FENCED_INPUT.match(text, start)
    at = fenced.start(1) if fenced else skip_gap(text, start)
    if text[at : at + 1] in ("{", "["):
        body = parse_body(text, at, tools, name, fenced.end(1) if fenced else None)
        if body:
            return TextSpan(
                opened.start(), max(body.end, fenced.end() if fenced else 0), body.calls, note
            )
    if text[at : at + 1] == '"':
        return _parse_quoted_input(opened, at, note)
    ends = RAW_INPUT_END.search(text, start)
    end = fenced.end() if fenced else ends.start() if ends else len(text)
    raw = fenced[1] if fenced else text[start:end]
    tool = find_tool_by_name(name, tools)
    if not raw.strip() or raw.lstrip().startswith("{") or (tool is None and not opened["sure"]):
        return None
    language = get_tool_language(tool) if tool and not fenced else None
    text = extract_leading_program(language, raw.strip()) if language else raw.strip()
    call = ParsedCall(name, _parse_named_input(raw, tool) or text, is_explicit=True)
    return TextSpan(opened.start(), end, (call,), note)


def _parse_quoted_input(opened: re.Match[str], at: int, note: str) -> TextSpan | None:
    try:
        read = parse_bounded_json(opened.string, at, None)
    except LenientJsonError:
        return None
    return TextSpan(
        opened.start(),
        read.end,
        (ParsedCall(opened["action"], read.value, is_explicit=True),),
        note,
    )


def _parse_named_input(raw: str, tool: OfferedTool | None) -> JsonObject:
    """Parse input that names its arguments: `code="print(1)"`, or YAML."""
    parsed = parse_bracketed_arguments(f"({raw})", 0)
    named = parsed.arguments if parsed and parsed.is_whole else None
    named = named if isinstance(named, dict) else parse_yaml_arguments(raw)
    return named if tool and set(named) & set(tool.parameters) else {}


def parse_bracketed_action(opened: re.Match[str], tools: OfferedTools) -> TextSpan | None:
    """Parse `Action: exec_python[print(1)]`, all on one line."""
    tool = find_tool_by_name(opened["acting"], tools)
    if tool is None or not opened["given"].strip():
        return None
    call = ParsedCall(tool.name, opened["given"], is_explicit=True)
    return TextSpan(
        opened.start(), opened.end(), (call,), "a call was found as an Action in brackets"
    )


def call_line_pattern(tools: Iterable[str]) -> str:
    """The pattern of a line that is a call of one of `tools` by its own name."""
    names = "|".join(re.escape(name) for name in tools) or r"(?!)"
    return (
        rf"^[ \t>*`(-]*(?:\d+\.[ \t]+)?(?i:{CALL_VERB}){NAMESPACE_PREFIX}"
        rf"[`\"*]*(?P<spoken>{names})[`\"*]*"
        r"(?:[ \t]*(?=\()|[ \t]*[:=]?[ \t]*(?:with )?(?:the )?"
        r"(?:arguments?|args|parameters?|input)?[ \t]*:?[ \t]*\n?[ \t]*(?:```(?:json)?[ \t]*\n?)?"
        r"(?=\{))"
    )


def parse_call_line(opened: re.Match[str], tools: OfferedTools) -> TextSpan | None:
    """Parse the call on the line that `opened` begins, if the line has nothing else."""
    text, start, name = opened.string, opened.end(), opened["spoken"]
    note = f"a call was found as a line that begins with {name}"
    if text[start : start + 1] == "{":
        body = parse_body(text, start, tools, name, None)
        return TextSpan(opened.start(), body.end, body.calls, note) if body else None
    parsed = parse_bracketed_arguments(text, start)
    if parsed is None or not (LINE_END.match(text, parsed.end) or not parsed.is_whole):
        return None
    tool = find_tool_by_name(name, tools)
    if tool is None or (not parsed.is_whole and get_tool_language(tool) is None):
        return None
    call = ParsedCall(tool.name, parsed.arguments, parsed.is_whole, is_explicit=True)
    return TextSpan(opened.start(), parsed.end, (call,), note)


def parse_yaml_arguments(text: str) -> JsonObject:
    """Parse a key on each line, `code: |` with the program below it; else empty."""
    arguments: JsonObject = {}
    lines = textwrap.dedent(text.strip("\n")).splitlines()
    while lines:
        match = YAML_KEY.fullmatch(lines.pop(0))
        if match is None:
            return {}
        below: list[str] = []
        while lines and (not lines[0].strip() or lines[0][0] in " \t"):
            below.append(lines.pop(0))
        value = "" if YAML_BLOCK.fullmatch(match[2]) else match[2].strip().strip("\"'")
        arguments[match[1]] = value or textwrap.dedent("\n".join(below)).strip("\n")
    return arguments

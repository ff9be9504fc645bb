"""Calls announced in words: ReAct's `Action:` and `Action Input:`, or a line that is a call.

Arguments written as YAML, a key on each line: `code: |` and the program below it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Final

from mini_agent.messages import JsonObject
from mini_agent.tool_parsing.arguments import read_brackets
from mini_agent.tool_parsing.call_bodies import after_gap, body_at
from mini_agent.tool_parsing.found import TOKENS, Found, Tools, Wanted
from mini_agent.tool_parsing.lenient_json import Unreadable, read_bounded
from mini_agent.tool_parsing.programs import leading_program
from mini_agent.tools.arguments import OfferedTool
from mini_agent.tools.names import language_of_tool, tool_meant

KEY: Final = re.compile(r"([A-Za-z_]\w{0,40}):[ \t]*(.*)")
BLOCK: Final = re.compile(r"[|>][-+]?\s*")


def yaml_arguments(text: str) -> JsonObject:
    """The values by their keys; empty when `text` does not begin with a key."""
    given: JsonObject = {}
    lines = textwrap.dedent(text.strip("\n")).splitlines()
    while lines:
        found = KEY.fullmatch(lines.pop(0))
        if found is None:
            return {}
        below: list[str] = []
        while lines and (not lines[0].strip() or lines[0][0] in " \t"):
            below.append(lines.pop(0))
        said = "" if BLOCK.fullmatch(found[2]) else found[2].strip().strip("\"'")
        given[found[1]] = said or textwrap.dedent("\n".join(below)).strip("\n")
    return given


NAMED: Final = r"Action|Name|Tool|Tool[ _]Name|Tool[ _]Used|Function|Function[ _]Name|Tool[ _]Call"
GIVEN: Final = (
    r"Action[ _]?Input|Tool[ _]?Input|Input|Arguments?|Args|Parameters?|Params|"
    r"Function[ _](?:Arguments|Input|Args)|Tool[ _](?:Arguments|Args|Parameters)"
)
REACT: Final = (
    rf"(?i:^[ \t*_#>-]*(?:(?P<sure>Action|Tool|Function)[^:\n]{{0,10}}|{NAMED})"
    r"[*_ \t]*\d?[*_ \t]*:[*_ \t]*[`\"'\[]*)"
    r"(?P<action>[A-Za-z_][\w.:-]*(?: (?i:REPL|Interpreter|Code))?)[`\"'\]*]*[ \t]*\n+"
    rf"(?i:[ \t*_#>-]*(?:{GIVEN})[*_ \t]*\d?[*_ \t]*:[*_]*[ \t]*)"
)
BRACKETED: Final = (
    r"(?i:^[ \t*_#>-]*Action[*_ \t]*\d?[*_ \t]*:)[*_ \t]*"
    r"(?P<acting>[A-Za-z_][\w.]*)\[(?P<given>.*)\][ \t]*$"
)
RAW_ENDS: Final = re.compile(
    rf"\n[ \t*_#>-]*(?:Observation|Thought|Action|Final Answer|Note)\b|{TOKENS}|\Z"
)
RAW_FENCE: Final = re.compile(r"\s*```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*(?:```|\Z)", re.DOTALL)
LABEL: Final = (
    r"(?:(?:action|tool|tool[ _]call|function|function[ _]call|call|calling|invoke|invoking|using|"
    r"use|execute|executing)\s*:?\s+|(?:print|await|return)\s*\(?\s*|\w+\s*=\s*(?:await\s+)?)?"
)
PREFIX: Final = r"(?:functions?\.|tools?\.|default_api\.|assistant\.)?"
LINE_END: Final = re.compile(r"[\s)\]`;.*]*?(?:\n|\Z)")


def spoken_line(tools: Iterable[str]) -> str:
    """A pattern for a line that is a call of one of `tools` by its own name."""
    names = "|".join(re.escape(name) for name in tools) or r"(?!)"
    return (
        rf"^[ \t>*`(-]*(?:\d+\.[ \t]+)?(?i:{LABEL}){PREFIX}[`\"*]*(?P<spoken>{names})[`\"*]*"
        r"(?:[ \t]*(?=\()|[ \t]*[:=]?[ \t]*(?:with )?(?:the )?"
        r"(?:arguments?|args|parameters?|input)?[ \t]*:?[ \t]*\n?[ \t]*(?:```(?:json)?[ \t]*\n?)?"
        r"(?=\{))"
    )


def bracketed_action(found: re.Match[str], tools: Tools) -> Found | None:
    """`Action: exec_python[print(1)]`, the whole of it on one line."""
    tool = tool_meant(found["acting"], tools)
    if tool is None or not found["given"].strip():
        return None
    wanted = Wanted(tool.name, found["given"], is_explicit=True)
    return Found(found.start(), found.end(), (wanted,), "a call was found as an Action in brackets")


def react_call(opened: re.Match[str], tools: Tools) -> Found | None:
    """The action whose input begins where `opened` ends."""
    text, start = opened.string, opened.end()
    name = opened["action"]
    said = "a call was found as Action and Action Input"
    fenced = RAW_FENCE.match(text, start)
    at = fenced.start(1) if fenced else after_gap(text, start)
    if text[at : at + 1] in ("{", "["):
        body = body_at(text, at, tools, name, fenced.end(1) if fenced else None)
        if body:
            return Found(
                opened.start(), max(body.end, fenced.end() if fenced else 0), body.calls, said
            )
    if text[at : at + 1] == '"':
        return _quoted(opened, at, said)
    ends = RAW_ENDS.search(text, start)
    end = fenced.end() if fenced else ends.start() if ends else len(text)
    raw = fenced[1] if fenced else text[start:end]
    tool = tool_meant(name, tools)
    if not raw.strip() or raw.lstrip().startswith("{") or (tool is None and not opened["sure"]):
        return None
    language = language_of_tool(tool) if tool and not fenced else None
    text = leading_program(language, raw.strip()) if language else raw.strip()
    wanted = Wanted(name, _by_name(raw, tool) or text, is_explicit=True)
    return Found(opened.start(), end, (wanted,), said)


def _by_name(raw: str, tool: OfferedTool | None) -> JsonObject:
    """The arguments where the input names them: `code="print(1)"`, or YAML."""
    given = read_brackets(f"({raw})", 0)
    named = given.arguments if given and given.is_whole else None
    named = named if isinstance(named, dict) else yaml_arguments(raw)
    return named if tool and set(named) & set(tool.parameters) else {}


def _quoted(opened: re.Match[str], at: int, said: str) -> Found | None:
    try:
        read = read_bounded(opened.string, at, None)
    except Unreadable:
        return None
    return Found(
        opened.start(), read.end, (Wanted(opened["action"], read.value, is_explicit=True),), said
    )


def line_call(opened: re.Match[str], tools: Tools) -> Found | None:
    """The call on the line that `opened` begins, if the line holds nothing else."""
    text, start, name = opened.string, opened.end(), opened["spoken"]
    said = f"a call was found as a line that begins with {name}"
    if text[start : start + 1] == "{":
        body = body_at(text, start, tools, name, None)
        return Found(opened.start(), body.end, body.calls, said) if body else None
    given = read_brackets(text, start)
    if given is None or not (LINE_END.match(text, given.end) or not given.is_whole):
        return None
    tool = tool_meant(name, tools)
    if tool is None or (not given.is_whole and language_of_tool(tool) is None):
        return None
    wanted = Wanted(tool.name, given.arguments, given.is_whole, is_explicit=True)
    return Found(opened.start(), given.end, (wanted,), said)

"""One stretch of a reply's text that may be a call: JSON, a list in brackets, a fenced block."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mini_agent.tool_parsing.call_bodies import bracketed_calls
from mini_agent.tool_parsing.code_blocks import block_call, tool_calls_in_program
from mini_agent.tool_parsing.final_answers import final_in
from mini_agent.tool_parsing.found import Fence
from mini_agent.tool_parsing.found_ import Found, Tools, Wanted
from mini_agent.tool_parsing.json_calls import sounds_like_a_tool, wanted_in
from mini_agent.tool_parsing.lenient_json import Unreadable, read_bounded
from mini_agent.tool_parsing.surroundings import Surroundings, is_much
from mini_agent.tools.names import tool_meant
from mini_agent.tools.spelling import words_in

NEAR: Final = 400
BEGINS_A_CALL: Final = re.compile(
    r"\{\s*[\"'](?:name|tool|tool_name|tool_calls?|function|function_call|action)[\"']\s*:"
)
NAMES_A_CALL: Final = re.compile(
    r"\{\s*[\"'](?:name|tool|tool_name|function)[\"']\s*:\s*[\"'](?P<name>[\w.-]+)[\"']\s*,"
    r"\s*[\"'](?:arguments|parameters|args|input)[\"']\s*:"
)
CALLING_LABELS: Final = words_in(
    "tool_call tool_code tool tools tool_calls function function_call call action xml yaml yml"
)
JSON_LABELS: Final = words_in("json json5 jsonc")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a reply is read against, beside the tools.

    `runs_code_blocks`: code in a fence may stand for a call. `has_result`: a tool has already
    succeeded in this run. `wants_json`: the answer is to be JSON, so that JSON is a call only
    where it names a tool. `reads_text`: text may hold calls at all.
    """

    runs_code_blocks: bool = True
    has_result: bool = False
    wants_json: bool = False
    reads_text: bool = True


def json_call(
    text: str, start: int, tools: Tools, setting: Setting, limit: int | None = None
) -> Found | None:
    """The calls in the JSON at `start`; a `Found` without any where it is JSON of another kind."""
    try:
        read = read_bounded(text, start, limit)
    except Unreadable:
        return _unreadable(text, start, tools)
    after = text[read.end : read.end + NEAR]
    wanted = wanted_in(read, tools)
    calls = tuple(
        each
        for each in wanted
        if tool_meant(each.name, tools) or (each.is_explicit and not is_much(after))
    )
    if setting.wants_json and isinstance(read.value, dict):
        calls = tuple(each for each in calls if each.arguments is not read.value)
    final = None if setting.wants_json else final_in(wanted, tools)
    if final is not None:
        return Found(start, read.end, final=final)
    if not calls and read.is_cut and not setting.wants_json and BEGINS_A_CALL.match(text, start):
        calls = (Wanted("", None, is_whole=False, is_explicit=True),)
    if calls or not read.unclosed:
        where = "in a fence" if limit is not None else "in the text"
        return Found(start, read.end, calls, f"a call was found as JSON {where}")
    return None


def _unreadable(text: str, start: int, tools: Tools) -> Found | None:
    """A call of a tool that there is, to which something was given that nobody can read."""
    begun = NAMES_A_CALL.match(text, start)
    if begun is None or begun["name"] not in tools or text[:start].strip():
        return None
    wanted = Wanted(begun["name"], None, is_whole=False, is_explicit=True)
    return Found(start, len(text), (wanted,), "a call was found as JSON that cannot be read")


def listed_call(text: str, start: int, tools: Tools) -> Found | None:
    """The calls of a list in Python's syntax: `[exec_python(code="print(1)")]`."""
    calls, end = bracketed_calls(text, start)
    alone = not is_much(text[end : end + NEAR])
    known = tuple(
        each
        for each in calls
        if tool_meant(each.name, tools)
        or (alone and isinstance(each.arguments, dict) and sounds_like_a_tool(each.name))
    )
    return Found(start, end, known, "a call was found as a list in brackets") if known else None


def fenced_call(
    fence: Fence, text: str, tools: Tools, setting: Setting, around: Surroundings
) -> Found | None:
    """The call that a fenced block makes or stands for; None where its inside may hold more."""
    if fence.label in CALLING_LABELS | JSON_LABELS | {""} or fence.label in tools:
        inner = _in_fence(fence, text, tools, setting)
        if inner:
            return inner
    if fence.label in JSON_LABELS or fence.label in CALLING_LABELS - {"tool_code"}:
        return None
    if not setting.runs_code_blocks:
        return Found(fence.start, fence.end)
    wanted = block_call(fence, tools, around, has_result=setting.has_result)
    if wanted is None:
        return None if fence.label in ("", "tool_code") else Found(fence.start, fence.end)
    said = f"a block of {fence.label or 'python'} was taken as a call of {wanted.name}"
    return Found(fence.start, fence.end, (wanted,), said, "code")


def _in_fence(fence: Fence, text: str, tools: Tools, setting: Setting) -> Found | None:
    limit = fence.body_end if fence.is_closed else None
    lead = len(fence.body) - len(fence.body.lstrip())
    if fence.label in tools:
        wanted = Wanted(fence.label, fence.body.strip(), fence.is_closed, is_explicit=True)
        said = f"a fence named {fence.label} was taken as a call"
        return Found(fence.start, fence.end, (wanted,), said)
    if fence.body.lstrip()[:1] not in ("{", "["):
        return None
    found = json_call(text, fence.body_start + lead, tools, setting, limit)
    if found is None or not (found.calls or found.final is not None):
        return None
    end = max(fence.end, found.end) if fence.is_closed else found.end
    return Found(fence.start, end, found.calls, found.said, final=found.final)


def program_calls(fence: Fence, tools: Tools) -> Found | None:
    """The calls of tools that a block makes as if it were Python: `exec_python(code="...")`."""
    if fence.language != "python" and fence.label not in ("", "tool_code"):
        return None
    calls = tool_calls_in_program(fence.body, tools)
    said = "a call was found in a block of Python"
    return Found(fence.start, fence.end, calls, said) if calls else None

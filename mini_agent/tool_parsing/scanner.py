"""A reply's text gone through from left to right: every call in it, in whatever form.

One stretch of a reply's text that may be a call: JSON, a list in brackets, a fenced block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from mini_agent.tool_parsing.call_bodies import bracketed_calls
from mini_agent.tool_parsing.found import FENCE, FOREIGN_TURN, Fence, Found, Tools, Wanted, fence_at
from mini_agent.tool_parsing.intent import Surroundings, is_much
from mini_agent.tool_parsing.json_calls import sounds_like_a_tool, wanted_in
from mini_agent.tool_parsing.lenient_json import Unreadable, read_bounded
from mini_agent.tool_parsing.programs import (
    block_call,
    prints,
    tool_calls_in_program,
    without_label,
)
from mini_agent.tool_parsing.react import (
    BRACKETED,
    REACT,
    bracketed_action,
    line_call,
    react_call,
    spoken_line,
)
from mini_agent.tool_parsing.resolve import final_in
from mini_agent.tool_parsing.xml_tags import marked_call, marker
from mini_agent.tools.names import tool_for, tool_meant, words_in

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


# Each opening may be read to the end of the text: the longer it is, the fewer are looked at.
MOST_READ: Final = 10_000_000
DEEPEST: Final = 2
CALL_AT: Final[Mapping[str, Callable[[re.Match[str], Tools], Found | None]]] = MappingProxyType(
    {
        "react": react_call,
        "acting": bracketed_action,
        "marker": marked_call,
        "line": line_call,
    }
)
JSON: Final = r"(?P<json>[{\[](?=\s*[\"'{\[}\u201c\w]))"
LISTED: Final = r"(?P<listed>\[\s*(?:functions\.)?[A-Za-z_][\w.]{0,63}\s*\()"


def found_in(
    text: str, tools: Tools, setting: Setting, *, is_cut: bool = False
) -> tuple[Found, ...]:
    """Every call in `text`, in order; blocks of code only where there is no other call.

    `is_cut` tells that the token limit ended the text.
    """
    found = tuple(_Scan(text, tools, setting, is_cut).found())
    calls = tuple(each for each in found if each.calls and each.form == "text")
    answers = tuple(each for each in found if each.final is not None)
    blocks = tuple(each for each in found if each.form == "code")
    return calls or answers or _each_once(blocks) or tuple(_bare_program(text, tools, setting))


def _each_once(blocks: tuple[Found, ...]) -> tuple[Found, ...]:
    return tuple({each.calls[0].written: each for each in reversed(blocks)}.values())[::-1]


def _bare_program(text: str, tools: Tools, setting: Setting) -> Iterator[Found]:
    """A reply that is a Python program and nothing else."""
    if not setting.runs_code_blocks or setting.has_result or setting.wants_json:
        return
    tool = tool_for("python", tools)
    if tool and "print" in text and prints(without_label(text)):
        parameter = tool.required[0] if tool.required else "code"
        said = f"the reply is a program, taken as a call of {tool.name}"
        wanted = Wanted(tool.name, {parameter: text}, is_explicit=True)
        yield Found(0, len(text), (wanted,), said, "code")


@lru_cache(maxsize=32)
def _openings(tools: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<foreign>{FOREIGN_TURN})|{FENCE}|(?P<react>{REACT})|{BRACKETED}|(?P<marker>{marker(tools)})"
        rf"|{LISTED}|(?P<line>{spoken_line(tools)})|{JSON}",
        re.MULTILINE,
    )


@dataclass(frozen=True, slots=True)
class _Scan:
    text: str
    tools: Tools
    setting: Setting
    is_cut: bool
    depth: int = 0

    def found(self) -> Iterator[Found]:
        openings = _openings(tuple(self.tools))
        position = 0
        for _ in range(min(400, MOST_READ // (len(self.text) + 1))):
            opened = openings.search(self.text, position)
            if opened is None or opened["foreign"] is not None:
                return
            found = self._at(opened)
            if found and self._is_meant(found):
                yield found
            position = max(found.end if found else opened.end(), opened.start() + 1)

    def _at(self, opened: re.Match[str]) -> Found | None:
        if opened["fence"]:
            return self._fenced(fence_at(opened))
        for group, call_at in CALL_AT.items():
            if opened[group]:
                return call_at(opened, self.tools)
        if opened["listed"]:
            return listed_call(self.text, opened.start(), self.tools)
        return json_call(self.text, opened.start(), self.tools, self.setting)

    def _fenced(self, fence: Fence) -> Found:
        found = program_calls(fence, self.tools)
        found = found or fenced_call(
            fence, self.text, self.tools, self.setting, self._around(fence.start, fence.end)
        )
        return found or self._inside(fence)

    def _inside(self, fence: Fence) -> Found:
        """What a fence holds of the forms that need none."""
        if self.depth >= DEEPEST:
            return Found(fence.start, fence.end)
        inner = replace(self, text=fence.body, depth=self.depth + 1)
        inside = tuple(inner.found())
        calls = tuple(call for each in inside if each.form == "text" for call in each.calls)
        final = next((each.final for each in inside if each.final is not None), None)
        said = inside[0].said if inside else ""
        return Found(fence.start, fence.end, calls, said, final=final)

    def _is_meant(self, found: Found) -> bool:
        if not found.calls or found.form == "code":
            return found.final is not None or bool(found.calls)
        around = self._around(found.start, found.end)
        if around.is_spoken_of or around.is_in_quotes:
            return False
        return found.is_marked or not around.is_in_a_sentence

    def _around(self, start: int, end: int) -> Surroundings:
        before, after = self.text[max(0, start - NEAR) : start], self.text[end : end + NEAR]
        return Surroundings(before, after, self.is_cut)

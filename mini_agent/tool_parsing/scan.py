"""A reply's text gone through from left to right: every call in it, in whatever form."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from mini_agent.tool_parsing.found import FENCE, Fence, fence_at
from mini_agent.tool_parsing.found_ import Found, Tools, Wanted
from mini_agent.tool_parsing.own_text import FOREIGN_TURN
from mini_agent.tool_parsing.programs import without_label
from mini_agent.tool_parsing.programs_ import prints
from mini_agent.tool_parsing.react import (
    BRACKETED,
    REACT,
    bracketed_action,
    line_call,
    react_call,
    spoken_line,
)
from mini_agent.tool_parsing.scanner import (
    NEAR,
    Setting,
    fenced_call,
    json_call,
    listed_call,
    program_calls,
)
from mini_agent.tool_parsing.surroundings import Surroundings
from mini_agent.tool_parsing.xml_tags import marked_call, marker
from mini_agent.tools.names import tool_for

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

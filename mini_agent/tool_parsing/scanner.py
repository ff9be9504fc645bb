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
from mini_agent.tool_parsing.call_bodies import parse_bracketed_calls
from mini_agent.tool_parsing.intent import SurroundingText, is_substantial
from mini_agent.tool_parsing.json_calls import find_json_calls, is_plausible_tool_name
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_bounded_json
from mini_agent.tool_parsing.programs import (
    find_tool_calls,
    has_print_statement,
    parse_code_block,
    strip_language_label,
)
from mini_agent.tool_parsing.react import (
    ACTION_START,
    BRACKETED_ACTION,
    call_line_pattern,
    parse_action,
    parse_bracketed_action,
    parse_call_line,
)
from mini_agent.tool_parsing.resolve import find_final_answer
from mini_agent.tool_parsing.text_spans import (
    FENCE,
    FOREIGN_TURN,
    Fence,
    OfferedTools,
    ParsedCall,
    TextSpan,
    parse_fence,
)
from mini_agent.tool_parsing.xml_tags import marker_pattern, parse_marked_call
from mini_agent.tools.names import tool_for, tool_meant, words_in

CONTEXT_CHARS: Final = 400
CALL_START: Final = re.compile(
    r"\{\s*[\"'](?:name|tool|tool_name|tool_calls?|function|function_call|action)[\"']\s*:"
)
NAMED_CALL_START: Final = re.compile(
    r"\{\s*[\"'](?:name|tool|tool_name|function)[\"']\s*:\s*[\"'](?P<name>[\w.-]+)[\"']\s*,"
    r"\s*[\"'](?:arguments|parameters|args|input)[\"']\s*:"
)
CALL_LABELS: Final = words_in(
    "tool_call tool_code tool tools tool_calls function function_call call action xml yaml yml"
)
JSON_LABELS: Final = words_in("json json5 jsonc")
# Each opening may be read to the end of the text: the longer it is, the fewer are looked at.
MAX_READ_CHARS: Final = 10_000_000
MAX_FENCE_DEPTH: Final = 2
MARKER_PARSERS: Final[Mapping[str, Callable[[re.Match[str], OfferedTools], TextSpan | None]]] = (
    MappingProxyType(
        {
            "react": parse_action,
            "acting": parse_bracketed_action,
            "marker": parse_marked_call,
            "line": parse_call_line,
        }
    )
)
JSON_START: Final = r"(?P<json>[{\[](?=\s*[\"'{\[}\u201c\w]))"
LIST_CALL_START: Final = r"(?P<listed>\[\s*(?:functions\.)?[A-Za-z_][\w.]{0,63}\s*\()"


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """What a reply is read against, beside the tools.

    `runs_code_blocks`: code in a fence may stand for a call. `has_result`: a tool has already
    succeeded in this run. `wants_json`: the answer is to be JSON, so that JSON is a call only
    where it names a tool. `parses_text`: text may hold calls at all.
    """

    runs_code_blocks: bool = True
    has_result: bool = False
    wants_json: bool = False
    parses_text: bool = True


def scan_text(
    text: str, tools: OfferedTools, setting: ParseOptions, *, is_cut: bool = False
) -> tuple[TextSpan, ...]:
    """Every call in `text`, in order; blocks of code only where there is no other call.

    `is_cut` tells that the token limit ended the text.
    """
    found = tuple(_Scanner(text, tools, setting, is_cut).found())
    calls = tuple(each for each in found if each.calls and each.form == "text")
    answers = tuple(each for each in found if each.final is not None)
    blocks = tuple(each for each in found if each.form == "code")
    return (
        calls
        or answers
        or _drop_duplicates(blocks)
        or tuple(_parse_bare_program(text, tools, setting))
    )


def _drop_duplicates(blocks: tuple[TextSpan, ...]) -> tuple[TextSpan, ...]:
    return tuple({each.calls[0].written: each for each in reversed(blocks)}.values())[::-1]


def _parse_bare_program(
    text: str, tools: OfferedTools, setting: ParseOptions
) -> Iterator[TextSpan]:
    """A reply that is a Python program and nothing else."""
    if not setting.runs_code_blocks or setting.has_result or setting.wants_json:
        return
    tool = tool_for("python", tools)
    if tool and "print" in text and has_print_statement(strip_language_label(text)):
        parameter = tool.required[0] if tool.required else "code"
        said = f"the reply is a program, taken as a call of {tool.name}"
        wanted = ParsedCall(tool.name, {parameter: text}, is_explicit=True)
        yield TextSpan(0, len(text), (wanted,), said, "code")


@dataclass(frozen=True, slots=True)
class _Scanner:
    text: str
    tools: OfferedTools
    setting: ParseOptions
    is_cut: bool
    depth: int = 0

    def found(self) -> Iterator[TextSpan]:
        openings = _start_pattern(tuple(self.tools))
        position = 0
        for _ in range(min(400, MAX_READ_CHARS // (len(self.text) + 1))):
            opened = openings.search(self.text, position)
            if opened is None or opened["foreign"] is not None:
                return
            found = self._at(opened)
            if found and self._is_meant(found):
                yield found
            position = max(found.end if found else opened.end(), opened.start() + 1)

    def _at(self, opened: re.Match[str]) -> TextSpan | None:
        if opened["fence"]:
            return self._fenced(parse_fence(opened))
        for group, call_at in MARKER_PARSERS.items():
            if opened[group]:
                return call_at(opened, self.tools)
        if opened["listed"]:
            return parse_list_call(self.text, opened.start(), self.tools)
        return parse_json_call(self.text, opened.start(), self.tools, self.setting)

    def _fenced(self, fence: Fence) -> TextSpan:
        found = parse_program_calls(fence, self.tools)
        found = found or parse_fenced_call(
            fence, self.text, self.tools, self.setting, self._around(fence.start, fence.end)
        )
        return found or self._inside(fence)

    def _inside(self, fence: Fence) -> TextSpan:
        """What a fence holds of the forms that need none."""
        if self.depth >= MAX_FENCE_DEPTH:
            return TextSpan(fence.start, fence.end)
        inner = replace(self, text=fence.body, depth=self.depth + 1)
        inside = tuple(inner.found())
        calls = tuple(call for each in inside if each.form == "text" for call in each.calls)
        final = next((each.final for each in inside if each.final is not None), None)
        said = inside[0].said if inside else ""
        return TextSpan(fence.start, fence.end, calls, said, final=final)

    def _is_meant(self, found: TextSpan) -> bool:
        if not found.calls or found.form == "code":
            return found.final is not None or bool(found.calls)
        around = self._around(found.start, found.end)
        if around.is_only_mentioned or around.is_quoted:
            return False
        return found.is_marked or not around.is_inside_sentence

    def _around(self, start: int, end: int) -> SurroundingText:
        before, after = (
            self.text[max(0, start - CONTEXT_CHARS) : start],
            self.text[end : end + CONTEXT_CHARS],
        )
        return SurroundingText(before, after, self.is_cut)


@lru_cache(maxsize=32)
def _start_pattern(tools: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(
        rf"(?P<foreign>{FOREIGN_TURN})|{FENCE}|(?P<react>{ACTION_START})|{BRACKETED_ACTION}|(?P<marker>{marker_pattern(tools)})"
        rf"|{LIST_CALL_START}|(?P<line>{call_line_pattern(tools)})|{JSON_START}",
        re.MULTILINE,
    )


def parse_json_call(
    text: str, start: int, tools: OfferedTools, setting: ParseOptions, limit: int | None = None
) -> TextSpan | None:
    """The calls in the JSON at `start`; a `TextSpan` without any where it is JSON of another kind."""
    try:
        read = parse_bounded_json(text, start, limit)
    except LenientJsonError:
        return _parse_unreadable_call(text, start, tools)
    after = text[read.end : read.end + CONTEXT_CHARS]
    wanted = find_json_calls(read, tools)
    calls = tuple(
        each
        for each in wanted
        if tool_meant(each.name, tools) or (each.is_explicit and not is_substantial(after))
    )
    if setting.wants_json and isinstance(read.value, dict):
        calls = tuple(each for each in calls if each.arguments is not read.value)
    final = None if setting.wants_json else find_final_answer(wanted, tools)
    if final is not None:
        return TextSpan(start, read.end, final=final)
    if not calls and read.is_cut and not setting.wants_json and CALL_START.match(text, start):
        calls = (ParsedCall("", None, is_whole=False, is_explicit=True),)
    if calls or not read.unclosed:
        where = "in a fence" if limit is not None else "in the text"
        return TextSpan(start, read.end, calls, f"a call was found as JSON {where}")
    return None


def _parse_unreadable_call(text: str, start: int, tools: OfferedTools) -> TextSpan | None:
    """A call of a tool that there is, to which something was given that nobody can read."""
    begun = NAMED_CALL_START.match(text, start)
    if begun is None or begun["name"] not in tools or text[:start].strip():
        return None
    wanted = ParsedCall(begun["name"], None, is_whole=False, is_explicit=True)
    return TextSpan(start, len(text), (wanted,), "a call was found as JSON that cannot be read")


def parse_list_call(text: str, start: int, tools: OfferedTools) -> TextSpan | None:
    """The calls of a list in Python's syntax: `[exec_python(code="print(1)")]`."""
    calls, end = parse_bracketed_calls(text, start)
    alone = not is_substantial(text[end : end + CONTEXT_CHARS])
    known = tuple(
        each
        for each in calls
        if tool_meant(each.name, tools)
        or (alone and isinstance(each.arguments, dict) and is_plausible_tool_name(each.name))
    )
    return TextSpan(start, end, known, "a call was found as a list in brackets") if known else None


def parse_fenced_call(
    fence: Fence, text: str, tools: OfferedTools, setting: ParseOptions, around: SurroundingText
) -> TextSpan | None:
    """The call that a fenced block makes or stands for; None where its inside may hold more."""
    if fence.label in CALL_LABELS | JSON_LABELS | {""} or fence.label in tools:
        inner = _parse_fence_body(fence, text, tools, setting)
        if inner:
            return inner
    if fence.label in JSON_LABELS or fence.label in CALL_LABELS - {"tool_code"}:
        return None
    if not setting.runs_code_blocks:
        return TextSpan(fence.start, fence.end)
    wanted = parse_code_block(fence, tools, around, has_result=setting.has_result)
    if wanted is None:
        return None if fence.label in ("", "tool_code") else TextSpan(fence.start, fence.end)
    said = f"a block of {fence.label or 'python'} was taken as a call of {wanted.name}"
    return TextSpan(fence.start, fence.end, (wanted,), said, "code")


def _parse_fence_body(
    fence: Fence, text: str, tools: OfferedTools, setting: ParseOptions
) -> TextSpan | None:
    limit = fence.body_end if fence.is_closed else None
    lead = len(fence.body) - len(fence.body.lstrip())
    if fence.label in tools:
        wanted = ParsedCall(fence.label, fence.body.strip(), fence.is_closed, is_explicit=True)
        said = f"a fence named {fence.label} was taken as a call"
        return TextSpan(fence.start, fence.end, (wanted,), said)
    if fence.body.lstrip()[:1] not in ("{", "["):
        return None
    found = parse_json_call(text, fence.body_start + lead, tools, setting, limit)
    if found is None or not (found.calls or found.final is not None):
        return None
    end = max(fence.end, found.end) if fence.is_closed else found.end
    return TextSpan(fence.start, end, found.calls, found.said, final=found.final)


def parse_program_calls(fence: Fence, tools: OfferedTools) -> TextSpan | None:
    """The calls of tools that a block makes as if it were Python: `exec_python(code="...")`."""
    if fence.language != "python" and fence.label not in ("", "tool_code"):
        return None
    calls = find_tool_calls(fence.body, tools)
    said = "a call was found in a block of Python"
    return TextSpan(fence.start, fence.end, calls, said) if calls else None

"""Scans a text from left to right for tool calls in any form.

Each start of a call (a marker, a fence, a bracket, a label) is handed to the parser of its form.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from mini_agent.tool_parsing.call_bodies import parse_bracketed_calls
from mini_agent.tool_parsing.code_blocks import are_alternatives, join_dependent_blocks
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
from mini_agent.tools.names import find_tool_by_name, find_tool_for_language, split_words

CONTEXT_CHARS: Final = 400
CALL_START: Final = re.compile(
    r"\{\s*[\"'](?:name|tool|tool_name|tool_calls?|function|function_call|action)[\"']\s*:"
)
NAMED_CALL_START: Final = re.compile(
    r"\{\s*[\"'](?:name|tool|tool_name|function)[\"']\s*:\s*[\"'](?P<name>[\w.-]+)[\"']\s*,"
    r"\s*[\"'](?:arguments|parameters|args|input)[\"']\s*:"
)
CALL_LABELS: Final = split_words(
    "tool_call tool_code tool tools tool_calls function function_call call action xml yaml yml"
)
CONFIGURATION_LABELS: Final = split_words("yaml yml toml ini conf cfg env properties")
OPENED_FENCE: Final = re.compile(r"\n?[ \t]*(?:```|~~~)[\w-]*\s*\Z")
JSON_LABELS: Final = split_words("json json5 jsonc")
# Every start of a call may be read to the end of the text, so a longer text allows fewer starts.
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
    """How a reply is parsed, beside the tools that were offered.

    `runs_code_blocks`: code in a fence may stand for a call. `has_result`: a tool has already
    succeeded in this run. `wants_json`: the answer is to be JSON, so JSON is a call only where it
    names a tool. `parses_text`: the text of a reply may hold calls.
    """

    runs_code_blocks: bool = True
    has_result: bool = False
    wants_json: bool = False
    parses_text: bool = True


def scan_text(
    text: str, tools: OfferedTools, options: ParseOptions, *, is_cut: bool = False
) -> tuple[TextSpan, ...]:
    """Find every call in `text`, in order; code blocks count only if there is no other call.

    `is_cut`: the token limit ended the text.
    """
    spans = tuple(_Scanner(text, tools, options, is_cut).spans())
    calls = tuple(each for each in spans if each.calls and each.form == "text")
    answers = tuple(each for each in spans if each.final is not None)
    blocks = tuple(each for each in spans if each.form == "code")
    return (
        calls
        or answers
        or _select_blocks(text, blocks, tools)
        or tuple(_parse_bare_program(text, tools, options))
    )


def _select_blocks(
    text: str, blocks: Sequence[TextSpan], tools: OfferedTools
) -> tuple[TextSpan, ...]:
    """The blocks to be run, in order; none where they are offered for a choice."""
    distinct = _drop_duplicates(blocks)
    if are_alternatives(text, distinct):
        return ()
    return tuple(join_dependent_blocks(distinct, tools))


def _drop_duplicates(blocks: Sequence[TextSpan]) -> tuple[TextSpan, ...]:
    return tuple({each.calls[0].arguments_text: each for each in reversed(blocks)}.values())[::-1]


def _parse_bare_program(
    text: str, tools: OfferedTools, options: ParseOptions
) -> Iterator[TextSpan]:
    """Yield the call that a reply stands for which is only a Python program."""
    if not options.runs_code_blocks or options.has_result or options.wants_json:
        return
    tool = find_tool_for_language("python", tools)
    if tool and "print" in text and has_print_statement(strip_language_label(text)):
        parameter = tool.required[0] if tool.required else "code"
        note = f"the reply is a program, taken as a call of {tool.name}"
        call = ParsedCall(tool.name, {parameter: text}, is_explicit=True)
        yield TextSpan(0, len(text), (call,), note, "code")


@dataclass(frozen=True, slots=True)
class _Scanner:
    """One scan of a text; `depth` counts the fences around it."""

    text: str
    tools: OfferedTools
    options: ParseOptions
    is_cut: bool
    depth: int = 0

    def spans(self) -> Iterator[TextSpan]:
        openings = _start_pattern(tuple(self.tools))
        position = 0
        for _ in range(min(400, MAX_READ_CHARS // (len(self.text) + 1))):
            opened = openings.search(self.text, position)
            if opened is None or opened["foreign"] is not None:
                return
            span = self._at(opened)
            if span and self._is_meant(span):
                yield span
            position = max(span.end if span else opened.end(), opened.start() + 1)

    def _at(self, opened: re.Match[str]) -> TextSpan | None:
        if opened["fence"]:
            return self._fenced(parse_fence(opened))
        for group, call_at in MARKER_PARSERS.items():
            if opened[group]:
                return call_at(opened, self.tools)
        if opened["listed"]:
            return parse_list_call(self.text, opened.start(), self.tools)
        return parse_json_call(self.text, opened.start(), self.tools, self.options)

    def _fenced(self, fence: Fence) -> TextSpan:
        span = parse_program_calls(fence, self.tools)
        span = span or parse_fenced_call(
            fence, self.text, self.tools, self.options, self._around(fence.start, fence.end)
        )
        return span or self._inside(fence)

    def _inside(self, fence: Fence) -> TextSpan:
        """Scan the body of a fence for the other forms."""
        if self.depth >= MAX_FENCE_DEPTH:
            return TextSpan(fence.start, fence.end)
        is_configuration = self._around(fence.start, fence.end).is_configuration
        options = replace(self.options, wants_json=True) if is_configuration else self.options
        inner = replace(self, text=fence.body, options=options, depth=self.depth + 1)
        inside = tuple(inner.spans())
        calls = tuple(call for each in inside if each.form == "text" for call in each.calls)
        if fence.label in CONFIGURATION_LABELS:
            calls = tuple(each for each in calls if find_tool_by_name(each.name, self.tools))
        final = next((each.final for each in inside if each.final is not None), None)
        note = inside[0].note if inside else ""
        return TextSpan(fence.start, fence.end, calls, note, final=final)

    def _is_meant(self, span: TextSpan) -> bool:
        if not span.calls or span.form == "code":
            return span.final is not None or bool(span.calls)
        context = self._around(span.start, span.end)
        if context.is_only_mentioned or context.is_quoted:
            return False
        return span.is_marked or not context.is_inside_sentence

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
    text: str, start: int, tools: OfferedTools, options: ParseOptions, limit: int | None = None
) -> TextSpan | None:
    """Parse the calls in the JSON at `start`; JSON without calls gives a span without any."""
    try:
        read = parse_bounded_json(text, start, limit)
    except LenientJsonError:
        return _parse_unreadable_call(text, start, tools)
    after = text[read.end : read.end + CONTEXT_CHARS]
    candidates = find_json_calls(read, tools)
    calls = tuple(
        each
        for each in candidates
        if find_tool_by_name(each.name, tools) or (each.is_explicit and not is_substantial(after))
    )
    if isinstance(read.value, dict) and (
        options.wants_json or _is_configuration(text, start, read.end)
    ):
        calls = tuple(each for each in calls if each.arguments is not read.value)
    final = None if options.wants_json else find_final_answer(candidates, tools)
    if final is not None:
        return TextSpan(start, read.end, final=final)
    if not calls and read.is_cut and not options.wants_json and CALL_START.match(text, start):
        calls = (ParsedCall("", None, is_whole=False, is_explicit=True),)
    if calls or not read.unclosed:
        where = "in a fence" if limit is not None else "in the text"
        return TextSpan(start, read.end, calls, f"a call was found as JSON {where}")
    return None


def _is_configuration(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - CONTEXT_CHARS) : start], text[end : end + CONTEXT_CHARS]
    return SurroundingText(_strip_fence_line(before), after).is_configuration


def _strip_fence_line(before: str) -> str:
    """The text before a block, without the line that opens the block."""
    return OPENED_FENCE.sub("", before)


def _parse_unreadable_call(text: str, start: int, tools: OfferedTools) -> TextSpan | None:
    """Parse a call of a known tool whose arguments are not readable as JSON."""
    begun = NAMED_CALL_START.match(text, start)
    if begun is None or begun["name"] not in tools or text[:start].strip():
        return None
    call = ParsedCall(begun["name"], None, is_whole=False, is_explicit=True)
    return TextSpan(start, len(text), (call,), "a call was found as JSON that cannot be read")


def parse_list_call(text: str, start: int, tools: OfferedTools) -> TextSpan | None:
    """Parse calls in a list in Python's syntax: `[exec_python(code="print(1)")]`."""
    calls, end = parse_bracketed_calls(text, start)
    alone = not is_substantial(text[end : end + CONTEXT_CHARS])
    known = tuple(
        each
        for each in calls
        if find_tool_by_name(each.name, tools)
        or (alone and isinstance(each.arguments, dict) and is_plausible_tool_name(each.name))
    )
    return TextSpan(start, end, known, "a call was found as a list in brackets") if known else None


def parse_fenced_call(
    fence: Fence, text: str, tools: OfferedTools, options: ParseOptions, context: SurroundingText
) -> TextSpan | None:
    """Parse the call that a fenced block makes or stands for; None if it may hold more."""
    if fence.label in CALL_LABELS | JSON_LABELS | {""} or fence.label in tools:
        inner = _parse_fence_body(fence, text, tools, options)
        if inner:
            return inner
    if fence.label in JSON_LABELS or fence.label in CALL_LABELS - {"tool_code"}:
        return None
    if not options.runs_code_blocks:
        return TextSpan(fence.start, fence.end)
    call = parse_code_block(fence, tools, context, has_result=options.has_result)
    if call is None:
        return None if fence.label in ("", "tool_code") else TextSpan(fence.start, fence.end)
    note = f"a block of {fence.label or 'python'} was taken as a call of {call.name}"
    return TextSpan(fence.start, fence.end, (call,), note, "code")


def _parse_fence_body(
    fence: Fence, text: str, tools: OfferedTools, options: ParseOptions
) -> TextSpan | None:
    limit = fence.body_end if fence.is_closed else None
    lead = len(fence.body) - len(fence.body.lstrip())
    if fence.label in tools:
        call = ParsedCall(fence.label, fence.body.strip(), fence.is_closed, is_explicit=True)
        note = f"a fence named {fence.label} was taken as a call"
        return TextSpan(fence.start, fence.end, (call,), note)
    if fence.body.lstrip()[:1] not in ("{", "["):
        return None
    span = parse_json_call(text, fence.body_start + lead, tools, options, limit)
    if span is None or not (span.calls or span.final is not None):
        return None
    end = max(fence.end, span.end) if fence.is_closed else span.end
    return TextSpan(fence.start, end, span.calls, span.note, final=span.final)


def parse_program_calls(fence: Fence, tools: OfferedTools) -> TextSpan | None:
    """Parse calls of tools in a block of Python: `exec_python(code="...")`."""
    if fence.language != "python" and fence.label not in ("", "tool_code"):
        return None
    calls = find_tool_calls(fence.body, tools)
    note = "a call was found in a block of Python"
    return TextSpan(fence.start, fence.end, calls, note) if calls else None

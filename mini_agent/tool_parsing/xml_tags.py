"""Parses calls between the markers that model families write around them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from mini_agent.tool_parsing.arguments import sole_parameter
from mini_agent.tool_parsing.call_bodies import (
    find_tool_name,
    parse_body,
    parse_bounded_body,
    parse_bracketed_calls,
)
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_json
from mini_agent.tool_parsing.programs import has_function_call, is_complete
from mini_agent.tool_parsing.text_spans import OfferedTools, ParsedCall, TextSpan
from mini_agent.tools.names import find_tool_by_name, get_tool_language

CALL_TAGS: Final = (
    r"tool_calls?|tool-calls?|toolcalls?|function_?calls?|function-calls?|tool_use|tools?|"
    r"tool_code|tool_request|invoke|call|api_call|action|function|execute|minimax:tool_call|"
    r"antml:function_calls|TOOLCALL|invocation"
)
LANGUAGE_TAGS: Final = (
    r"python|py|bash|sh|shell|javascript|js|node|go|rust|code|script|execute_\w+|run_\w+|exec_\w+|"
    r"code_interpreter|interpreter|python_code|command|cmd"
)
MARKER: Final = (
    rf"<(?P<named>(?:\w{{1,12}}:)?(?i:{CALL_TAGS}))(?:\s+(?:name|tool|function|id)\s*=\s*|=)"
    r"[\"']?(?P<name>[\w.:-]+(?:/[\w.:-]+)*)[\"']?[^<>]{0,80}>"
    rf"|<(?P<tag>(?:\w{{1,12}}:)?(?i:{CALL_TAGS}))>"
    rf"|<(?P<running>{LANGUAGE_TAGS}|OWN_NAMES)>"
    r"|(?P<gemma><start_function_call>|<\|tool_call>)\s*call:"
    r"|^[ \t]*(?P<raven>(?:Initial Answer|Call):)[ \t]*(?=[A-Za-z_]\w*\()"
    r"|<\|(?P<token>tool_call\w*|tool_calls\w*|plugin|START_ACTION|python_tag|action_start|"
    r"functions?|tool|code|tool_code)\|?>"
    r"|<[\uff5c|](?P<deepseek>tool[▁_]calls?[▁_]begin)[\uff5c|]>"
    r"|\[(?P<mistral>TOOL_CALLS?|TOOL_REQUEST)\]"
    r"|\bfunctools(?=\s*\[)"
    r"|✿FUNCTION✿:"
    r"|>>>(?P<functionary>[A-Za-z_][\w.-]*)[ \t]*\n"
    r"|<\|recipient\|>\s*(?P<recipient>[A-Za-z_][\w.-]*)\s*<\|content\|>"
    r"|\bto=(?P<harmony>(?:functions\.)?[A-Za-z][\w.]*)"
    r"(?:[ \w]|<\|channel\|>|<\|constrain\|>){0,60}?(?:<\|message\|>|(?=\{))"
)
GEMMA_NAME: Final = re.compile(r"\s*([A-Za-z_][\w.:/-]*)\s*(?=\{)")
GEMMA_TEXT: Final = re.compile(r"(<escape>|<\|\"\|>)(.*?)\1", re.DOTALL)
GEMMA_END: Final = re.compile(r"<end_function_call>|<tool_call\|>")
# Behind NexusRaven's calls stand its stop token and its thoughts, or nothing.
RAVEN_END: Final = re.compile(r"[\s;]*(?:<bot_end>(?:\s*Thought:[^\n]*)?|\Z)")
AMBIGUOUS_TAGS: Final = frozenset(
    ("tool", "tools", "call", "action", "function", "execute", "api_call")
)
# CodeAct's models write a program in it, others a call.
PROGRAM_TAGS: Final = frozenset(("execute",))
CLOSING_MARKER: Final = (
    rf"</(?:\w{{1,12}}:)?(?i:{CALL_TAGS}|{LANGUAGE_TAGS})>"
    r"|<\|/\w{1,40}\|?>|<\|\w*(?:end|END)\w*\|>|<\|(?:eo[tm]_id|call|return)\|>"
    r"|<[\uff5c|][^<>\uff5c|]{1,30}[▁_]end[\uff5c|]>|\[/TOOL_\w+\]|<end_\w+>|</s>"
)
CLOSING_MARKERS: Final = re.compile(rf"(?:\s*(?:{CLOSING_MARKER}|</[\w:-]{{1,40}}>|```(?=\s)))*")
SPAN_END: Final = re.compile(
    rf"<\w+_calls?>|<[\uff5c|]tool[▁_]call[▁_]begin|^>>>|{CLOSING_MARKER}|\Z", re.MULTILINE
)
CALL_ELEMENT: Final = re.compile(
    r"<(?:\w{1,12}:)?(?:parameter|param|arg_key|arg|invoke|function|name|tool_name)[=> ]"
)


def marker_pattern(tools: Iterable[str]) -> str:
    """The pattern of every marker; elements may also be named as one of `tools`."""
    return MARKER.replace("OWN_NAMES", "|".join(map(re.escape, tools)) or "(?!)")


@dataclass(frozen=True, slots=True)
class MarkedSpan:
    """A marker and the text up to its closing marker or the end of the call."""

    opened: re.Match[str]
    end: int
    is_closed: bool

    @property
    def body(self) -> str:
        """The text between the markers."""
        return self.opened.string[self.opened.end() : self.end]


def parse_marked_call(opened: re.Match[str], tools: OfferedTools) -> TextSpan | None:
    """Parse the calls behind the marker `opened`; None if there are none."""
    text, start = opened.string, opened.end()
    if opened["gemma"] or opened["raven"]:
        return _parse_gemma(opened) if opened["gemma"] else _parse_raven(opened, tools)
    name = _marked_name(opened)
    if name in ("id", "all"):
        return None
    wraps = opened["tag"] or opened["running"] or opened["named"]
    span = _find_span(opened)
    limit = span.end if span.is_closed else None
    body = parse_body(text, start, tools, _body_tool_name(opened, tools, name), limit)
    if body:
        return _build_span(opened, _skip_closing_markers(text, body.end), body.calls, tools)
    calls = () if opened["harmony"] else parse_bounded_body(span.body, tools, name)
    if not any(find_tool_by_name(each.name, tools) for each in calls):
        calls = (
            _parse_program(span, name, tools) or calls or _parse_unclosed_call(span, name, tools)
        )
    whole = span.is_closed or not wraps
    if not whole and text[: opened.start()].strip():
        # Within other words, what nobody closes is a call only of a tool there is.
        calls = tuple(each for each in calls if find_tool_by_name(each.name, tools))
    calls = tuple(each if whole else replace(each, is_whole=False) for each in calls)
    return _build_span(opened, _skip_closing_markers(text, span.end), calls, tools)


def _parse_gemma(opened: re.Match[str]) -> TextSpan | None:
    """Parse Gemma's calls: `call:name{key:<escape>text<escape>,count:3}`, or with `<|"|>`."""
    text = opened.string
    closing = GEMMA_END.search(text, opened.end())
    end = closing.start() if closing else len(text)
    body = GEMMA_TEXT.sub(lambda found: json.dumps(found[2]), text[opened.end() : end])
    named = GEMMA_NAME.match(body)
    if named is None:
        return None
    try:
        read = parse_json(body, named.end())
    except LenientJsonError:
        return None
    is_whole = read.is_whole(read.value) and not read.is_cut
    call = ParsedCall(named[1], read.value, is_whole, is_explicit=True)
    note = f"a call was found behind the marker {opened[0].strip()[:40]}"
    return TextSpan(
        opened.start(), closing.end() if closing else end, (call,), note, is_marked=True
    )


def _parse_raven(opened: re.Match[str], tools: OfferedTools) -> TextSpan | None:
    """Parse NexusRaven's calls: `Call: name(key="x"); name(key="y")<bot_end>`."""
    text = opened.string
    calls, end = parse_bracketed_calls(text, opened.end())
    closing = RAVEN_END.match(text, end)
    known = all(find_tool_by_name(each.name, tools) for each in calls)
    if not calls or closing is None or not (known or "<" in closing[0]):
        return None
    note = f"a call was found behind the marker {opened['raven']}"
    return TextSpan(opened.start(), closing.end(), calls, note, is_marked=True)


def _marked_name(opened: re.Match[str]) -> str:
    named = (opened[group] for group in ("name", "harmony", "functionary", "recipient"))
    return next(filter(None, named), "") or _marked_language(opened)


def _build_span(
    opened: re.Match[str], end: int, calls: tuple[ParsedCall, ...], tools: OfferedTools
) -> TextSpan | None:
    """Build the span; behind an ambiguous marker only calls of known tools count."""
    if (opened["tag"] or "").lower() in AMBIGUOUS_TAGS or opened["running"]:
        calls = tuple(each for each in calls if find_tool_by_name(each.name, tools))
    note = f"a call was found behind the marker {opened[0].strip()[:40]}"
    return TextSpan(opened.start(), end, calls, note, is_marked=True) if calls else None


def _body_tool_name(opened: re.Match[str], tools: OfferedTools, name: str) -> str:
    """The tool whose arguments an element holds; an element named as a language may hold any."""
    is_language = opened["running"] or (opened["tag"] or "").lower() in PROGRAM_TAGS
    return name if not is_language or name in tools else ""


def _marked_language(opened: re.Match[str]) -> str:
    if opened["running"]:
        return opened["running"]
    if (opened["tag"] or "").lower() in PROGRAM_TAGS:
        return "python"
    return "python" if opened["token"] in ("python_tag", "code", "tool_code") else ""


def _find_span(opened: re.Match[str]) -> MarkedSpan:
    text, start = opened.string, opened.end()
    tag = opened["tag"] or opened["running"] or opened["named"]
    if tag:
        close = text.find(f"</{tag}>", start)
        if close >= 0:
            return MarkedSpan(opened, close, is_closed=True)
    close_token = SPAN_END.search(text, start)
    end = close_token.start() if close_token else len(text)
    return MarkedSpan(opened, end, is_closed=end < len(text))


def _skip_closing_markers(text: str, end: int) -> int:
    after = CLOSING_MARKERS.match(text, end)
    return after.end() if after else end


def _parse_unclosed_call(
    span: MarkedSpan, name: str, tools: OfferedTools
) -> tuple[ParsedCall, ...]:
    """Parse a call in XML that was never closed."""
    if span.is_closed or not CALL_ELEMENT.search(span.body):
        return ()
    name = name or find_tool_name(span.body[:200], tools)
    return (ParsedCall(name, None, is_whole=False, is_explicit=True),)


def _parse_program(span: MarkedSpan, name: str, tools: OfferedTools) -> tuple[ParsedCall, ...]:
    """Parse a program without JSON around it."""
    tool = find_tool_by_name(name, tools) if name else None
    language = get_tool_language(tool) if tool else None
    code = span.body.strip("\n")
    if tool is None or not code.strip() or code.lstrip().startswith("{"):
        return ()
    if language is None:
        is_sure = bool(span.opened["harmony"]) and span.is_closed and sole_parameter(tool)
        return (ParsedCall(tool.name, code, is_explicit=True),) if is_sure else ()
    if language == "python" and not has_function_call(code):
        return ()
    whole = span.is_closed or is_complete(language, code)
    return (ParsedCall(tool.name, code, is_whole=whole, is_explicit=True),)

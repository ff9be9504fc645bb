"""Parses a model's reply into words, reasoning and tool calls, in whatever form they came.

Reasoning written into the text (`<think>` tags, gpt-oss channels) is split off first. Replies
without content (an empty object, tags without words, a tool's own schema) count as empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from unicodedata import category

from mini_agent.messages import parse_json_object, replace_surrogates
from mini_agent.model import INCOMPLETE, ModelReply, ToolCall
from mini_agent.tool_parsing.intent import is_substantial
from mini_agent.tool_parsing.json_calls import is_tool_schema
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_json
from mini_agent.tool_parsing.native import unpack_call
from mini_agent.tool_parsing.resolve import CALL_CUT_PROBLEM, parse_final_answer
from mini_agent.tool_parsing.scanner import ParseOptions, scan_text
from mini_agent.tool_parsing.text_spans import OfferedTools, TextSpan, strip_special_tokens
from mini_agent.tool_parsing.vendor_tokens import (
    rewrite_calls,
    rewrite_thinking,
    strip_wrappers,
)

# The start of a call that nothing else reads, as it is unfinished or of an unknown tool.
CALL_START: Final = re.compile(
    r"\s*(?:```\w*\s*)?(?:<\|?tool_call|<function[=_]|<invoke |\[TOOL_CALLS\]|<\|python_tag\|>"
    r"|\{\s*\"(?:tool|tool_calls?|function|function_call|name)\"\s*:[^{}]{0,80}"
    r"(?:\Z|\"(?:args|arguments|parameters)\"\s*:))"
)
EMPTY_REPLIES: Final = frozenset(("{}", "[]", "null", "None", '""', "''", "{ }"))
ONLY_DOTS: Final = re.compile(r"[\s.\u2026\u00b7]*")
# The Unicode categories of spaces, controls, format characters and marks without a letter.
INVISIBLE: Final = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf", "Mn"))
BLANK_LETTERS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
ONLY_TAGS: Final = re.compile(
    r"(?:\s|</?[A-Za-z_][\w.:-]{0,40}/?>|<\|[^<>|]{1,40}\|>|\[/?[A-Z_]{3,20}\]"
    r"|```\w{0,20}(?=\s|\Z))+"
)
REASONING_TAG: Final = re.compile(
    r"<(?P<closes>/?)(?:think(?:ing)?|thought|reasoning|reflection)>"
    r"|\[(?P<closes_too>/?)THINK\]|<\|(?P<begins>begin|end)_of_thought\|>",
    re.IGNORECASE,
)
CHANNEL_MESSAGE: Final = re.compile(
    r"(?:<\|start\|>\s*(?P<role>\w+)?)?"
    r"(?P<header>[^<>\n]{0,80}(?:<\|channel\|>[^<>\n]{0,120})?(?:<\|constrain\|>[^<>\n]{0,20})?)"
    r"<\|message\|>(?P<body>.*?)(?P<end><\|end\|>|<\|return\|>|<\|call\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)
DEFAULT_OPTIONS: Final = ParseOptions()
REACT_START: Final = re.compile(r"\W*(?:Thought|Question|Action|Final Answer)\b")
FINAL_ANSWER: Final = re.compile(r"^[ \t*#>_-]*Final Answer[*_ \t]*:[*_]*\s*+(?=\S)", re.MULTILINE)
FINAL_ANSWER_REPAIR: Final = "what follows Final Answer was taken as the answer"
CALL_IN_REASONING: Final = "the call stood in the model's thoughts"
ANSWER_IN_REASONING: Final = "the answer stood in the model's thoughts"
ANSWER_AS_CALL: Final = "a call that only answers was taken as text"
CALL_UNREADABLE_PROBLEM: Final = (
    "the call could not be read to its end, so it was not run; send it whole, as one tool call"
)


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """A reply split into the text for the reader, the reasoning and the tool calls.

    The calls still have the names and arguments that the model gave them; `resolve_call` matches
    them to tools. `repaired` describes each repair of the reply as a whole in a sentence.
    """

    text: str
    reasoning: str
    calls: tuple[ToolCall, ...] = ()
    repaired: tuple[str, ...] = ()


def parse_reply(
    reply: ModelReply, tools: OfferedTools, options: ParseOptions = DEFAULT_OPTIONS
) -> ParsedReply:
    """Parse the calls of `reply`: those it lists natively, else those in its text.

    Never raises. A call that was cut off has a `problem` and must not be run.
    """
    written = rewrite_thinking(replace_surrogates(reply.text))
    text, thoughts = split_reasoning(convert_channels(written))
    thoughts = "\n".join(part for part in (replace_surrogates(reply.reasoning), thoughts) if part)
    text = strip_special_tokens(text)
    parsed = ParsedReply(text if has_words(text) else "", thoughts)
    if reply.tool_calls:
        return _add_native_calls(parsed, reply, tools)
    if not (tools and options.parses_text):
        return parsed
    is_cut = reply.finish_reason == "length"
    rewritten = replace(parsed, text=rewrite_calls(parsed.text))
    spans = scan_text(rewritten.text, tools, options, is_cut=is_cut)
    if spans:
        return _add_text_calls(rewritten, spans, is_cut=is_cut)
    parsed = _strip_form(parsed, tools, options)
    return parsed if parsed.text else _parse_reasoning(parsed, tools, options, is_cut=is_cut)


def _add_native_calls(parsed: ParsedReply, reply: ModelReply, tools: OfferedTools) -> ParsedReply:
    calls = [each for call in reply.tool_calls for each in unpack_call(call, tools)]
    answers = [parse_final_answer(call.name, call.arguments, tools) for call in calls]
    requested = tuple(call for call, answer in zip(calls, answers, strict=True) if answer is None)
    if not requested:
        text = parsed.text or next(filter(None, answers), "")
        return replace(parsed, text=text, repaired=(ANSWER_AS_CALL,))
    if reply.finish_reason == "length":
        requested = (*requested[:-1], replace(requested[-1], problem=CALL_CUT_PROBLEM))
    if reply.finish_reason == INCOMPLETE:
        requested = tuple(map(_refuse_partial_call, requested))
    return replace(parsed, calls=requested)


def _refuse_partial_call(call: ToolCall) -> ToolCall:
    """Refuse a call whose arguments had not ended when the connection did."""
    try:
        parse_json_object(call.arguments)
    except ValueError:
        return replace(call, problem=CALL_UNREADABLE_PROBLEM)
    return call


def _add_text_calls(
    parsed: ParsedReply, spans: tuple[TextSpan, ...], *, is_cut: bool
) -> ParsedReply:
    final = spans[0].final
    if final is not None:
        return replace(parsed, text=final, repaired=(ANSWER_AS_CALL,))
    calls: list[ToolCall] = []
    for each in spans:
        at_the_end = is_cut and not parsed.text[each.end :].strip()
        calls.extend(_build_tool_calls(each, is_cut=at_the_end, is_reply_cut=is_cut))
    blocks = spans[0].form == "code"
    text = parsed.text if blocks else strip_wrappers(_cut_spans(parsed.text, spans))
    text = text if blocks else strip_special_tokens(text)
    return replace(parsed, text=text, calls=tuple(calls))


def _build_tool_calls(span: TextSpan, *, is_cut: bool, is_reply_cut: bool) -> Iterator[ToolCall]:
    for call in span.calls:
        last = call is span.calls[-1]
        whole = call.is_whole and not (is_cut and last)
        problem = "" if whole else CALL_CUT_PROBLEM if is_reply_cut else CALL_UNREADABLE_PROBLEM
        yield ToolCall("", call.name, call.arguments_text, span.form, problem, (span.note,))


def _cut_spans(text: str, spans: tuple[TextSpan, ...]) -> str:
    parts, position = [], 0
    for each in spans:
        parts.append(text[position : each.start])
        position = each.end
    rest = text[position:]
    return "".join((*parts, rest)).strip()


def _strip_form(parsed: ParsedReply, tools: OfferedTools, options: ParseOptions) -> ParsedReply:
    """Remove what only the form adds: ReAct's label, an empty object for an answer."""
    if REACT_START.match(parsed.text) and (answer := FINAL_ANSWER.search(parsed.text)):
        return replace(
            parsed, text=parsed.text[answer.end() :].strip(), repaired=(FINAL_ANSWER_REPAIR,)
        )
    if parsed.text and is_empty_reply(parsed.text, tools) and not options.wants_json:
        return replace(parsed, text="", repaired=(f"the reply {parsed.text[:80]} says nothing",))
    return parsed


def _parse_reasoning(
    parsed: ParsedReply, tools: OfferedTools, options: ParseOptions, *, is_cut: bool
) -> ParsedReply:
    """Parse the call or answer with which the reasoning ends, for a reply without text."""
    thoughts = parsed.reasoning
    spans = scan_text(thoughts, tools, options, is_cut=is_cut)
    last = spans[-1] if spans else None
    if last and last.calls and not thoughts[last.end :].strip():
        calls = tuple(_build_tool_calls(last, is_cut=is_cut, is_reply_cut=is_cut))
        return replace(parsed, calls=calls, repaired=(*parsed.repaired, CALL_IN_REASONING))
    if options.has_result and thoughts and not is_cut:
        answer = last.final if last and last.final else thoughts
        return replace(parsed, text=answer, repaired=(*parsed.repaired, ANSWER_IN_REASONING))
    return parsed


def is_only_calls(text: str, tools: OfferedTools) -> bool:
    """Tell whether `text` has nothing for the reader beside calls and programs to be run."""
    rewritten = rewrite_calls(text)
    spans = scan_text(rewritten, tools, DEFAULT_OPTIONS) if tools else ()
    if not any(each.calls for each in spans):
        return bool(CALL_START.match(text))
    return not is_substantial(strip_wrappers(_cut_spans(rewritten, spans)))


def has_words(text: str) -> bool:
    """Tell whether a reader would see anything in `text` but dots."""
    return not ONLY_DOTS.fullmatch(text) and any(
        category(each) not in INVISIBLE and each not in BLANK_LETTERS for each in text
    )


class SplitText(NamedTuple):
    """The text for the reader and the reasoning behind it."""

    text: str
    reasoning: str


def split_reasoning(text: str) -> SplitText:
    """Split `text` at its `<think>` tags; either tag of a pair may be missing.

    Some chat templates write the opening tag themselves, and a reply that is cut off never
    reaches the closing one.
    """
    words: list[str] = []
    thoughts: list[str] = []
    position, is_thinking = 0, False
    for tag in REASONING_TAG.finditer(text):
        closes = bool(tag["closes"] or tag["closes_too"] or tag["begins"] == "end")
        if closes and not is_thinking:
            # The opening tag is missing: the text so far was reasoning.
            thoughts.extend(part for part in words if part.strip())
            words = []
        (thoughts if closes or is_thinking else words).append(text[position : tag.start()])
        position, is_thinking = tag.end(), not closes
    (thoughts if is_thinking else words).append(text[position:])
    return SplitText("".join(words).strip(), "\n".join(part.strip() for part in thoughts).strip())


def convert_channels(text: str) -> str:
    """Convert gpt-oss channels: analysis to `<think>` tags, the final answer to text."""
    if "<|message|>" not in text:
        return text
    return CHANNEL_MESSAGE.sub(_convert_message, text)


def _convert_message(message: re.Match[str]) -> str:
    header, body = message["header"], message["body"]
    if "to=" in header or (message["role"] or "").startswith("functions"):
        return message[0]
    if "analysis" in header:
        return f"<think>{body}</think>"
    return f"{body}\n"


def is_empty_reply(text: str, tools: OfferedTools) -> bool:
    """Tell whether `text` has no content for the reader."""
    return (
        text in EMPTY_REPLIES or bool(ONLY_TAGS.fullmatch(text)) or _is_echoed_schema(text, tools)
    )


def _is_echoed_schema(text: str, tools: OfferedTools) -> bool:
    """Tell whether `text` is the schema of one of `tools`, given back."""
    if text[:1] != "{" or not any(name in text for name in tools):
        return False
    try:
        read = parse_json(text, 0)
    except LenientJsonError:
        return False
    is_all = not text[read.end :].strip()
    return is_all and isinstance(read.value, dict) and is_tool_schema(read.value)

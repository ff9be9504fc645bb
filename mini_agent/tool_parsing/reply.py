"""A reply of a model, read: its words, its thoughts, and its calls in whatever form they came.

Replies that say nothing: an empty object, tags without words, a tool's description.

What a model thinks, told from what it says, where it writes both into one text.

The channels of gpt-oss, where a server passes them on unread.
"""

from __future__ import annotations
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple
from mini_agent.messages import replace_surrogates
from mini_agent.model import ModelReply, ToolCall
from mini_agent.tool_parsing.json_calls import is_tool_schema
from mini_agent.tool_parsing.lenient_json import LenientJsonError, parse_json
from mini_agent.tool_parsing.native import unpack_call
from mini_agent.tool_parsing.resolve import CALL_CUT_PROBLEM, parse_final_answer
from mini_agent.tool_parsing.scanner import ParseOptions, scan_text
from mini_agent.tool_parsing.text_spans import OfferedTools, TextSpan, strip_special_tokens

EMPTY_REPLIES: Final = frozenset(("{}", "[]", "null", "None", '""', "''", "{ }"))
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
    """What a reply says to the reader, what was thought, and what is asked to be done.

    The calls still have the names and arguments that the model gave them; `understood` makes
    sense of those. `repaired` is what was done to the reply as a whole, a sentence each.
    """

    text: str
    reasoning: str
    calls: tuple[ToolCall, ...] = ()
    repaired: tuple[str, ...] = ()


def parse_reply(
    reply: ModelReply, tools: OfferedTools, setting: ParseOptions = DEFAULT_OPTIONS
) -> ParsedReply:
    """`reply` with its calls found: those it lists, else those that its text makes.

    Never raises, whatever the model wrote. A call that was cut off has a `problem` and is not to
    be run.
    """
    spoken, thoughts = split_reasoning(convert_channels(replace_surrogates(reply.text)))
    thoughts = "\n".join(part for part in (replace_surrogates(reply.reasoning), thoughts) if part)
    said = ParsedReply(strip_special_tokens(spoken), thoughts)
    if reply.tool_calls:
        return _add_native_calls(said, reply, tools)
    if not (tools and setting.parses_text):
        return said
    is_cut = reply.finish_reason == "length"
    found = scan_text(said.text, tools, setting, is_cut=is_cut)
    if found:
        return _add_text_calls(said, found, is_cut=is_cut)
    said = _strip_form(said, tools, setting)
    return said if said.text else _parse_reasoning(said, tools, setting, is_cut=is_cut)


def _add_native_calls(said: ParsedReply, reply: ModelReply, tools: OfferedTools) -> ParsedReply:
    calls = [each for call in reply.tool_calls for each in unpack_call(call, tools)]
    answers = [parse_final_answer(call.name, call.arguments, tools) for call in calls]
    asked = tuple(call for call, answer in zip(calls, answers, strict=True) if answer is None)
    if not asked:
        text = said.text or next(filter(None, answers), "")
        return replace(said, text=text, repaired=(ANSWER_AS_CALL,))
    if reply.finish_reason == "length":
        asked = (*asked[:-1], replace(asked[-1], problem=CALL_CUT_PROBLEM))
    return replace(said, calls=asked)


def _add_text_calls(said: ParsedReply, found: tuple[TextSpan, ...], *, is_cut: bool) -> ParsedReply:
    final = found[0].final
    if final is not None:
        return replace(said, text=final, repaired=(ANSWER_AS_CALL,))
    calls: list[ToolCall] = []
    for each in found:
        at_the_end = is_cut and not said.text[each.end :].strip()
        calls.extend(_build_tool_calls(each, is_cut=at_the_end, is_late=is_cut))
    blocks = found[0].form == "code"
    text = said.text if blocks else strip_special_tokens(_cut_spans(said.text, found))
    return replace(said, text=text, calls=tuple(calls))


def _build_tool_calls(found: TextSpan, *, is_cut: bool, is_late: bool) -> Iterator[ToolCall]:
    for wanted in found.calls:
        last = wanted is found.calls[-1]
        whole = wanted.is_whole and not (is_cut and last)
        problem = "" if whole else CALL_CUT_PROBLEM if is_late else CALL_UNREADABLE_PROBLEM
        yield ToolCall("", wanted.name, wanted.written, found.form, problem, (found.said,))


def _cut_spans(text: str, found: tuple[TextSpan, ...]) -> str:
    kept, position = [], 0
    for each in found:
        kept.append(text[position : each.start])
        position = each.end
    rest = text[position:]
    return "".join((*kept, rest)).strip()


def _strip_form(said: ParsedReply, tools: OfferedTools, setting: ParseOptions) -> ParsedReply:
    """`said` without what only its form adds: ReAct's label, an empty object for an answer."""
    if REACT_START.match(said.text) and (answer := FINAL_ANSWER.search(said.text)):
        return replace(
            said, text=said.text[answer.end() :].strip(), repaired=(FINAL_ANSWER_REPAIR,)
        )
    if said.text and is_empty_reply(said.text, tools) and not setting.wants_json:
        return replace(said, text="", repaired=(f"the reply {said.text[:80]} says nothing",))
    return said


def _parse_reasoning(
    said: ParsedReply, tools: OfferedTools, setting: ParseOptions, *, is_cut: bool
) -> ParsedReply:
    """What a model that says nothing has asked for in its thoughts, if they end with it."""
    thoughts = said.reasoning
    found = scan_text(thoughts, tools, setting, is_cut=is_cut)
    last = found[-1] if found else None
    if last and last.calls and not thoughts[last.end :].strip():
        calls = tuple(_build_tool_calls(last, is_cut=is_cut, is_late=is_cut))
        return replace(said, calls=calls, repaired=(*said.repaired, CALL_IN_REASONING))
    if setting.has_result and thoughts and not is_cut:
        answer = last.final if last and last.final else thoughts
        return replace(said, text=answer, repaired=(*said.repaired, ANSWER_IN_REASONING))
    return said


class SplitText(NamedTuple):
    """The text meant for the reader, and the thoughts behind it."""

    text: str
    reasoning: str


def split_reasoning(text: str) -> SplitText:
    """`text` split at its `<think>` tags; either of a pair may be missing.

    Some chat templates write the opening tag themselves, and a reply that is cut off never
    reaches the closing one.
    """
    said: list[str] = []
    thoughts: list[str] = []
    position, is_thinking = 0, False
    for tag in REASONING_TAG.finditer(text):
        closes = bool(tag["closes"] or tag["closes_too"] or tag["begins"] == "end")
        if closes and not is_thinking:
            # What was taken for speech was thought: the opening tag is missing.
            thoughts.extend(part for part in said if part.strip())
            said = []
        (thoughts if closes or is_thinking else said).append(text[position : tag.start()])
        position, is_thinking = tag.end(), not closes
    (thoughts if is_thinking else said).append(text[position:])
    return SplitText("".join(said).strip(), "\n".join(part.strip() for part in thoughts).strip())


def convert_channels(text: str) -> str:
    """`text` with the analysis as thoughts and the final answer as words; calls stay in it."""
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
    """Whether there is not a word in it for the reader."""
    return (
        text in EMPTY_REPLIES or bool(ONLY_TAGS.fullmatch(text)) or _is_echoed_schema(text, tools)
    )


def _is_echoed_schema(text: str, tools: OfferedTools) -> bool:
    """Whether it is what the model was told of one of `tools`, given back."""
    if text[:1] != "{" or not any(name in text for name in tools):
        return False
    try:
        read = parse_json(text, 0)
    except LenientJsonError:
        return False
    is_all = not text[read.end :].strip()
    return is_all and isinstance(read.value, dict) and is_tool_schema(read.value)

"""What holds for every text: nothing raises, nothing cut is run, no prose becomes a call."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mini_agent.model import ModelReply, ToolCall
from mini_agent.testing.weak_models import WeakReply, load_weak_replies
from mini_agent.tool_parsing.scanner import ParseOptions
from tests.tool_parsing.parsed_reply import parse_outcome, text_reply

# Of these, later words say that a whole block or call is not meant, or belongs to another one:
# what is cut before them does not hold them.
TURNED_BY_LATER_WORDS = {"choice", "not to be run", "configuration", "several blocks"}
SINGLE_ROWS = ("vendor prose: longcat described", "native: broken JSON: two programs")
TABLE = [
    each
    for each in load_weak_replies()
    if each.family not in TURNED_BY_LATER_WORDS and str(each) not in SINGLE_ROWS
]
IN_TEXT = [each for each in TABLE if each.reply.text]
LISTED = [each for each in TABLE if each.reply.tool_calls]
# A text that ends there by the server's word is taken as whole: no marker would close these.
UNMARKED_ENDS = {"chatglm3", "react", "code block", "prose", "example", "quoted", "cut", "further"}
CLOSED = [each for each in IN_TEXT if each.family not in UNMARKED_ENDS | {"thoughts", "smolagents"}]
MARKS = (
    "{ } [ ] ( ) \" ' ` ``` \\ <tool_call> </tool_call> <think> </think> <|channel|> <|message|> "
    'to= [TOOL_CALLS] exec_python compress_runs "name" "arguments" "code" : , print(1) <function= '
    "> <parameter=code> functools >>> null 1 Observation: <\uff5ctool▁call▁begin\uff5c> \0"
)
LINES = ("```python\n", "```json\n", "\n", "Action: ", "Action Input: ", "for example ")
PIECES = (*MARKS.split(), *LINES)
WORDS = (
    "I the tool exec_python exec_shell compress_runs code answer is 42 run python would could "
    "call it and with arguments name. result: Then, (perhaps) bash go rust node"
)
PROSE = st.lists(st.sampled_from(WORDS.split()), max_size=40).map(" ".join)
OFTEN = settings(max_examples=300, deadline=None, derandomize=True)


@OFTEN
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40))
def test_no_text_raises(pieces: list[str]) -> None:
    parse_outcome(ModelReply("".join(pieces), "".join(reversed(pieces))))


@OFTEN
@given(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_no_listed_call_raises(name: str, arguments: str) -> None:
    parse_outcome(ModelReply(tool_calls=(ToolCall("1", name, arguments),)))
    parse_outcome(ModelReply(tool_calls=(ToolCall("1", arguments, name),)))


@OFTEN
@given(st.sampled_from(IN_TEXT), st.data())
def test_no_mutation_of_a_shape_raises(weak: WeakReply, chosen: st.DataObject) -> None:
    text = weak.reply.text
    start = chosen.draw(st.integers(0, len(text)))
    end = chosen.draw(st.integers(start, min(len(text), start + 12)))
    instead = chosen.draw(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)))
    parse_outcome(text_reply(text[:start] + instead + text[end:]))


@OFTEN
@given(PROSE)
def test_prose_is_never_a_call(words: str) -> None:
    outcome = parse_outcome(text_reply(words))
    assert (outcome.run, outcome.refused, outcome.text) == ((), (), words.strip())


@pytest.mark.parametrize("weak", IN_TEXT, ids=str)
def test_a_reply_cut_at_the_token_limit_runs_only_what_was_whole(weak: WeakReply) -> None:
    options = ParseOptions(has_result=weak.has_result)
    for end in range(len(weak.reply.text)):
        cut = text_reply(weak.reply.text[:end], "length")
        run = parse_outcome(cut, options, weak.tools).run
        assert run == weak.calls[: len(run)], weak.reply.text[:end]


@pytest.mark.parametrize("weak", CLOSED, ids=str)
def test_a_call_that_breaks_off_without_a_word_is_not_run(weak: WeakReply) -> None:
    options = ParseOptions(has_result=weak.has_result)
    for end in range(len(weak.reply.text)):
        run = parse_outcome(text_reply(weak.reply.text[:end]), options, weak.tools).run
        assert run == weak.calls[: len(run)], weak.reply.text[:end]


@pytest.mark.parametrize("weak", LISTED, ids=str)
def test_arguments_that_break_off_are_not_run(weak: WeakReply) -> None:
    (call, *_) = weak.reply.tool_calls
    json_only = call.arguments if call.arguments[:1] in ("{", "[", '"') else ""
    for end in range(len(json_only)):
        cut = replace(weak.reply, tool_calls=(replace(call, arguments=json_only[:end]),))
        run = parse_outcome(cut, tools=weak.tools).run
        assert run == weak.calls[: len(run)], json_only[:end]


@pytest.mark.parametrize(
    "piece",
    [
        *PIECES,
        "{{",
        '{"a":',
        '{"a":"',
        "word ",
        "<",
        "<a>",
        "# ",
        "Action: x\nAction Input: ",
        "[a(",
    ],
)
@pytest.mark.timeout(200)
def test_a_megabyte_is_read_in_bounded_time(piece: str) -> None:
    text = (piece * (1_000_000 // len(piece) + 1))[:1_000_000]
    parse_outcome(ModelReply(text, tool_calls=()))
    parse_outcome(
        ModelReply(tool_calls=(ToolCall("1", "exec_python", text), ToolCall("2", text, "{}")))
    )

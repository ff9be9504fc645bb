"""The table of weak models' replies: each comes to the calls it plainly means, or to text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mini_agent.testing.weak_models import WeakReply, load_weak_replies
from mini_agent.tool_parsing.scanner import ParseOptions
from mini_agent.tools.arguments import parse_tools
from tests.tool_parsing.parsed_reply import parse_outcome

TABLE = load_weak_replies()
MEANT = [each for each in TABLE if each.calls]
CALLED_IN_TEXT = [each for each in MEANT if not each.reply.tool_calls]
WITH_AN_ANSWER = [each for each in TABLE if each.answer is not None]
WITH_CODE_BLOCKS = [each for each in TABLE if each.family == "code block"]


def options(weak: WeakReply) -> ParseOptions:
    return ParseOptions(has_result=weak.has_result)


@pytest.mark.parametrize("weak", TABLE, ids=str)
def test_what_is_meant_is_run_and_nothing_else(weak: WeakReply) -> None:
    outcome = parse_outcome(weak.reply, options(weak), weak.tools)
    assert outcome.run == weak.calls
    assert len(outcome.refused) == weak.refused


@pytest.mark.parametrize("weak", WITH_AN_ANSWER, ids=str)
def test_the_words_for_the_reader_are_left(weak: WeakReply) -> None:
    assert parse_outcome(weak.reply, options(weak), weak.tools).text == weak.answer


@pytest.mark.parametrize("weak", CALLED_IN_TEXT, ids=str)
def test_a_call_found_in_text_is_recorded_in_words(weak: WeakReply) -> None:
    assert parse_outcome(weak.reply, options(weak), weak.tools).repaired


@pytest.mark.parametrize("weak", WITH_CODE_BLOCKS, ids=str)
def test_without_the_setting_no_block_is_run(weak: WeakReply) -> None:
    off = ParseOptions(runs_code_blocks=False, has_result=weak.has_result)
    outcome = parse_outcome(weak.reply, off, weak.tools)
    assert (outcome.run, outcome.refused) == ((), ())


@pytest.mark.parametrize("weak", CALLED_IN_TEXT, ids=str)
def test_without_tools_everything_is_text(weak: WeakReply) -> None:
    outcome = parse_outcome(weak.reply, options(weak), ())
    assert (outcome.run, outcome.refused) == ((), ())


@pytest.mark.parametrize("weak", MEANT, ids=str)
def test_a_call_is_not_run_by_another_tool_than_the_one_it_means(weak: WeakReply) -> None:
    meant = {name for name, _ in weak.calls}
    others = [tool.schema for name, tool in parse_tools(weak.tools).items() if name not in meant]
    assert not {name for name, _ in parse_outcome(weak.reply, options(weak), others).run} & meant


@pytest.mark.parametrize("weak", MEANT, ids=str)
def test_the_same_reply_with_its_tokens_spent_runs_nothing_more(weak: WeakReply) -> None:
    cut = replace(weak.reply, finish_reason="length")
    run = parse_outcome(cut, options(weak), weak.tools).run
    assert run == weak.calls[: len(run)]


def test_the_table_is_as_large_as_it_says() -> None:
    assert len(TABLE) >= 500
    assert len({str(weak) for weak in TABLE}) == len(TABLE)

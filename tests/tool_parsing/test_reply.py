"""A reply as a whole: what takes part in it, and what depends on the run it is read in."""

from __future__ import annotations

import json

import pytest

from mini_agent.model import ModelReply, ToolCall
from mini_agent.tool_parsing.scanner import ParseOptions
from mini_agent.tools.catalog import EXEC_PYTHON
from tests.tool_parsing.parsed_reply import parse_outcome, text_reply

CALL = '{"name": "exec_python", "arguments": {"code": "print(1)"}}'
PRINTS = ("exec_python", {"code": "print(1)"})
BLOCK = "```python\nprint(1)\n```"
RUN = ToolCall("1", "exec_python", '{"code": "print(1)"}')


def test_a_listed_call_is_the_only_one_where_the_text_repeats_it() -> None:
    outcome = parse_outcome(ModelReply(CALL, tool_calls=(RUN,)))
    assert outcome.run == (PRINTS,)


def test_an_answer_in_words_stands_above_a_call_in_the_thoughts() -> None:
    outcome = parse_outcome(ModelReply("It is 1.", reasoning=CALL))
    assert (outcome.run, outcome.text) == ((), "It is 1.")


def test_thoughts_that_go_on_after_a_call_have_not_made_it() -> None:
    outcome = parse_outcome(ModelReply("", reasoning=f"{CALL}\nNo, that would not do."))
    assert outcome.run == ()


def test_thoughts_are_the_answer_once_a_tool_has_given_a_result() -> None:
    reply = ModelReply("", reasoning="It printed 1, so it is 1.")
    assert parse_outcome(reply, ParseOptions(has_result=True)).text == "It printed 1, so it is 1."
    assert parse_outcome(reply).text == ""


def test_thoughts_cut_at_the_limit_are_no_answer() -> None:
    reply = ModelReply("", reasoning="It printed 1, so", finish_reason="length")
    assert parse_outcome(reply, ParseOptions(has_result=True)).text == ""


def test_json_that_was_asked_for_is_an_answer_unless_it_names_a_tool() -> None:
    wanting = ParseOptions(wants_json=True)
    assert parse_outcome(text_reply('{"code": "print(1)"}'), wanting).text == '{"code": "print(1)"}'
    assert parse_outcome(text_reply("{}"), wanting).text == "{}"
    assert parse_outcome(text_reply(CALL), wanting).run == (PRINTS,)


def test_a_block_beside_a_call_is_not_run_as_well() -> None:
    assert parse_outcome(text_reply(f"{BLOCK}\n{CALL}")).run == (PRINTS,)


def test_the_text_around_a_block_stays_with_it() -> None:
    assert parse_outcome(text_reply(f"So:\n{BLOCK}")).text == f"So:\n{BLOCK}"


@pytest.mark.parametrize("said", ["Let me run it again:", "Running the fixed program:", "I'll try"])
def test_after_a_result_a_block_is_run_when_it_is_announced(said: str) -> None:
    assert parse_outcome(text_reply(f"{said}\n{BLOCK}"), ParseOptions(has_result=True)).run == (
        PRINTS,
    )


@pytest.mark.parametrize("said", ["It is 1. I used:", "The program:", "", "How it works:"])
def test_after_a_result_a_block_that_explains_is_text(said: str) -> None:
    assert parse_outcome(text_reply(f"{said}\n{BLOCK}"), ParseOptions(has_result=True)).run == ()


@pytest.mark.parametrize(
    "label", ["", "text", "json", "diff", "output", "console", "ts", "typescript", "html", "sql"]
)
def test_a_block_of_another_kind_is_left_alone(label: str) -> None:
    text = f"See:\n```{label}\nconsole.log(1)\n```"
    outcome = parse_outcome(text_reply(text))
    assert (outcome.run, outcome.refused, outcome.text) == ((), (), text)


def test_a_block_runs_only_where_its_language_has_a_tool() -> None:
    assert parse_outcome(text_reply("```go\npackage main\n```"), tools=[EXEC_PYTHON]).run == ()


def test_a_command_line_whose_block_is_not_closed_is_not_run() -> None:
    outcome = parse_outcome(text_reply("```bash\nrm -rf /tmp/x"))
    assert outcome.run == ()
    assert len(outcome.refused) == 1


def test_a_cut_call_says_why_it_was_not_run() -> None:
    assert "token limit" in parse_outcome(text_reply(CALL[:40], "length")).refused[0]
    assert "to its end" in parse_outcome(text_reply(CALL[:40])).refused[0]


def test_several_repairs_of_one_call_are_told_each() -> None:
    text = json.dumps({"tool": "python", "args": {"script": "```\nprint(1)\n```"}})
    assert parse_outcome(text_reply(text)).repaired == (
        "a call was found as JSON in the text",
        "tool python was taken as exec_python",
        "argument script was taken as code",
        "the fence around the program was taken off",
    )


def test_a_call_as_it_should_be_has_no_repairs() -> None:
    assert parse_outcome(ModelReply(tool_calls=(RUN,))).repaired == ()


@pytest.mark.parametrize("language", ["ruby", "perl", "typescript", "php"])
def test_code_in_a_language_nobody_runs_is_refused_by_its_name(language: str) -> None:
    arguments = json.dumps({"language": language, "code": "print(1)"})
    outcome = parse_outcome(ModelReply(tool_calls=(ToolCall("1", "run_code", arguments),)))
    assert outcome.run == ()
    assert f"no tool runs '{language}'" in outcome.refused[0]


@pytest.mark.parametrize(
    "said",
    [
        "...",
        "\u2026",
        ". . .",
        "\u200b",
        "\u2060\ufeff",
        "\u00a0\u3000",
        "\u2800\u2800",
        "\u3164",
        "\ufe0f",
    ],
)
def test_dots_and_invisible_characters_alone_are_no_answer(said: str) -> None:
    assert parse_outcome(text_reply(said)).text == ""
    assert parse_outcome(text_reply(said), tools=()).text == ""


@pytest.mark.parametrize("said", ["0", "-", "?", "\U0001f44d", "...and?", "删", "\u200b42"])
def test_the_shortest_answers_are_answers(said: str) -> None:
    assert parse_outcome(text_reply(said)).text == said

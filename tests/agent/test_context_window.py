"""What the model is shown of a long run: never torn, never without the task, within its room."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from mini_agent.agent.context_window import (
    SUMMARY_HEADING,
    ContextBudget,
    append_instructions,
    count_chars,
    estimate_message_tokens,
    estimate_tokens,
    fit_messages,
)
from mini_agent.agent.prompts import SYSTEM_PROMPT
from mini_agent.config import AgentConfig
from mini_agent.errors import ContextTooLong
from mini_agent.messages import Message, assistant, function_call, system, tool_result, user
from mini_agent.model import ModelReply
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.testing.transcript_rules import broken_request_rules
from tests.agent.checked_run import (
    TASK,
    ScriptedInvoker,
    run_agent,
    tool_texts,
)

TWO_CALLS = [
    assistant("", [function_call(each, "echo", {"text": each}) for each in ("a", "b")]),
    tool_result("a", "A" * 40),
    tool_result("b", "B" * 40),
]
LATER = [assistant("", [function_call("c", "echo", {})]), tool_result("c", "C" * 40)]


def shown(
    messages: Sequence[Message], room: ContextBudget, pinned: Sequence[int] = (0, 1)
) -> list[Message]:
    return fit_messages(list(enumerate(messages)), frozenset(pinned), room)


HEAD = [system("s"), user("task")]


def test_what_fits_is_shown_whole() -> None:
    assert shown([*HEAD, *TWO_CALLS, *LATER], ContextBudget(50)) == [*HEAD, *TWO_CALLS, *LATER]


@pytest.mark.parametrize("messages", [2, 3, 4])
def test_calls_and_their_answers_are_dropped_together(messages: int) -> None:
    assert shown([*HEAD, *TWO_CALLS, *LATER], ContextBudget(messages)) == [*HEAD, *LATER]


def test_the_newest_group_is_kept_though_it_is_larger_than_the_room() -> None:
    assert shown([*HEAD, *LATER, *TWO_CALLS], ContextBudget(1)) == [*HEAD, *TWO_CALLS]


def test_older_groups_go_when_there_are_too_many_characters() -> None:
    assert shown([*HEAD, *TWO_CALLS, *LATER], ContextBudget(50, chars=250)) == [*HEAD, *LATER]


def test_older_groups_go_when_there_are_too_many_tokens() -> None:
    assert shown([*HEAD, *TWO_CALLS, *LATER], ContextBudget(50, tokens=80)) == [*HEAD, *LATER]


def test_the_newest_outputs_are_clipped_in_their_middle_when_even_they_are_too_long() -> None:
    long = [LATER[0], tool_result("c", "first" + "." * 5000 + "last")]
    text = str(shown([*HEAD, *long], ContextBudget(50, chars=1000))[-1]["content"])
    assert text.startswith("first")
    assert text.endswith("last")
    assert len(text) <= 1000


def test_a_small_room_still_makes_a_valid_request() -> None:
    assert broken_request_rules(shown([*HEAD, *TWO_CALLS, *LATER], ContextBudget(1, 10, 10))) == []


def test_addenda_go_into_the_one_system_message() -> None:
    assert append_instructions(HEAD, ["", "more"]) == [system("s\n\nmore"), user("task")]
    assert append_instructions([user("task")], ["more"]) == [system("more"), user("task")]


def test_a_picture_counts_as_a_page_and_not_as_its_bytes() -> None:
    part: Message = {"role": "user", "content": [{"type": "image_url", "image_url": "x" * 10**6}]}
    assert count_chars(part) == 3000


def test_other_scripts_are_reckoned_with_a_token_a_character() -> None:
    assert estimate_tokens("字" * 100) == 100
    assert 250 < estimate_tokens("x" * 1000) < 400
    assert estimate_message_tokens(user("")) > 0


def echoes(number: int) -> list[ModelReply]:
    return [calls_reply(scripted_call("echo", text=str(each))) for each in range(number)]


def outputs(number: int, length: int = 1) -> ScriptedInvoker:
    return ScriptedInvoker(*[f"out{each} " + "x" * length for each in range(number)])


async def test_a_long_run_is_shown_its_newest_messages() -> None:
    config = AgentConfig(model="m", max_history_messages=4, max_iterations=9)
    with ScriptedModel(*echoes(6), text_reply("done")) as model:
        result = await run_agent(TASK, outputs(6), config, model)
    last = model.requests[-1].messages
    assert last[:2] == [system(SYSTEM_PROMPT), *TASK]
    assert [text.split()[-2] for text in tool_texts(last)] == ["out4", "out5"]
    assert len(tool_texts(result.messages)) == 6


async def test_the_task_is_shown_though_it_is_neither_first_nor_new() -> None:
    messages = [user("hello"), assistant("hi"), user("The task."), *TWO_CALLS, *LATER]
    config = AgentConfig(model="m", max_history_messages=4)
    with ScriptedModel(*echoes(3), text_reply("done")) as model:
        await run_agent(messages, outputs(3), config, model)
    last = model.requests[-1].messages
    assert [message["content"] for message in last[1:3]] == ["hello", "The task."]


async def test_a_budget_of_characters_bounds_every_request() -> None:
    config = AgentConfig(model="m", hard_char_budget=5000, max_iterations=9)
    with ScriptedModel(*echoes(6), text_reply("done")) as model:
        await run_agent(TASK, outputs(6, 1500), config, model)
    assert max(sum(map(count_chars, asked.messages)) for asked in model.requests) <= 5000


async def test_num_ctx_bounds_every_request_by_an_estimate() -> None:
    config = AgentConfig(model="m", num_ctx=2048, max_iterations=9)
    with ScriptedModel(*echoes(6), text_reply("done")) as model:
        await run_agent(TASK, outputs(6, 1500), config, model)
    assert (
        max(sum(map(estimate_message_tokens, asked.messages)) for asked in model.requests)
        < 2048 * 3 / 4
    )


async def test_without_limits_everything_is_shown() -> None:
    with ScriptedModel(*echoes(6), text_reply("done")) as model:
        result = await run_agent(TASK, outputs(6, 1500), AgentConfig(model="m"), model)
    assert model.requests[-1].messages == result.messages[:-1]


async def test_a_conversation_the_server_finds_too_long_is_shown_shorter_once() -> None:
    too_long = ContextTooLong("longer than the context")
    with ScriptedModel(*echoes(4), too_long, text_reply("done")) as model:
        result = await run_agent(TASK, outputs(4, 1500), AgentConfig(model="m"), model)
    refused, accepted = model.requests[-2].messages, model.requests[-1].messages
    assert (
        sum(map(estimate_message_tokens, accepted))
        <= sum(map(estimate_message_tokens, refused)) / 2
    )
    assert result.final_answer == "done"
    assert "too long" in result.iterations[-1].repaired[0]


async def test_a_conversation_that_is_still_too_long_ends_the_run() -> None:
    too_long = ContextTooLong("longer than the context")
    with ScriptedModel(*echoes(1), too_long, too_long) as model:
        result = await run_agent(TASK, outputs(1), AgentConfig(model="m"), model)
    assert (result.stopped_reason, result.error) == ("error", "longer than the context")


async def test_every_few_turns_a_digest_stands_for_the_older_ones() -> None:
    config = AgentConfig(model="m", summarize_every=2)
    with ScriptedModel(*echoes(4), text_reply("done")) as model:
        await run_agent(TASK, outputs(4), config, model)
    heads = [str(asked.messages[0]["content"]) for asked in model.requests]
    assert [SUMMARY_HEADING in head for head in heads] == [False, False, True, True, True]
    assert 'you called echo: {"text": "0"}' in heads[2]
    assert "out0" in heads[2]
    assert len(tool_texts(model.requests[2].messages)) == 1
    assert "out3" not in heads[4]


async def test_no_digest_is_made_where_none_is_asked_for() -> None:
    with ScriptedModel(*echoes(4), text_reply("done")) as model:
        await run_agent(TASK, outputs(4), AgentConfig(model="m"), model)
    assert {str(asked.messages[0]["content"]) for asked in model.requests} == {SYSTEM_PROMPT}

"""Research: a model that is not sure or keeps failing is sent to look things up, a few times."""

from __future__ import annotations

import pytest

from mini_agent.agent.guardrails.research import is_unsure
from mini_agent.config import AgentConfig
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.agent.checked_run import (
    TASK,
    ScriptedInvoker,
    run_agent,
    tool_texts,
    user_texts,
)

TOOLS = ("echo", "research_docs")
CONFIG = AgentConfig(model="m")
UNSURE = text_reply("I'm not sure.")
FAILS = calls_reply(scripted_call("nowhere"))


async def test_an_unsure_answer_is_sent_to_the_research_tools() -> None:
    lookup = calls_reply(scripted_call("research_docs", text="x"))
    with ScriptedModel(UNSURE, lookup, text_reply("It is 42.")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), CONFIG, model)
    assert result.final_answer == "It is 42."
    assert user_texts(result.messages)[-1] == (
        "You are not sure of your answer. Look it up with research_docs, "
        "then answer from what it says."
    )


async def test_an_unsure_answer_stands_where_nothing_can_be_looked_up() -> None:
    with ScriptedModel(UNSURE) as model:
        result = await run_agent(TASK, ScriptedInvoker("42"), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("I'm not sure.", "success")


async def test_an_unsure_answer_stands_where_it_is_switched_off() -> None:
    config = AgentConfig(model="m", research_on_unsure=False)
    with ScriptedModel(UNSURE) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), config, model)
    assert result.final_answer == "I'm not sure."


@pytest.mark.parametrize(
    ("names", "sent_to"),
    [
        (("echo", "files__research_docs", "web_search"), "files__research_docs"),
        (("echo", "context7__search_docs"), "context7__search_docs"),
        (("web-search", "searchlight"), "web-search"),
    ],
)
async def test_what_looks_things_up_is_known_by_its_name(
    names: tuple[str, ...], sent_to: str
) -> None:
    with ScriptedModel(UNSURE, text_reply("It is 42.")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=names), CONFIG, model)
    assert f"Look it up with {sent_to}, then" in user_texts(result.messages)[-1]


@pytest.mark.parametrize("hops", [0, 1, 2])
async def test_research_is_asked_for_a_few_times_only(hops: int) -> None:
    config = AgentConfig(model="m", max_research_hops=hops)
    with ScriptedModel(*[UNSURE] * (hops + 1)) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), config, model)
    assert (result.final_answer, result.stopped_reason) == ("I'm not sure.", "success")


async def test_an_unsure_answer_of_the_last_turn_stands() -> None:
    config = AgentConfig(model="m", max_iterations=1)
    with ScriptedModel(UNSURE) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), config, model)
    assert result.stopped_reason == "success"


async def test_after_failures_in_a_row_research_is_proposed() -> None:
    with ScriptedModel(FAILS, FAILS, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), CONFIG, model)
    proposed = [
        "Look up what is wrong with research_docs" in t for t in tool_texts(result.messages)
    ]
    assert proposed == [False, True]


async def test_a_success_between_failures_starts_the_count_anew() -> None:
    works = calls_reply(scripted_call("echo", text="x"))
    with ScriptedModel(FAILS, works, FAILS, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), CONFIG, model)
    assert "Look up" not in "".join(tool_texts(result.messages))


async def test_the_number_of_failures_is_the_callers() -> None:
    config = AgentConfig(model="m", max_failures_before_research=1)
    with ScriptedModel(FAILS, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), config, model)
    assert "Look up" in tool_texts(result.messages)[0]


async def test_failures_lead_to_no_research_where_it_is_switched_off() -> None:
    config = AgentConfig(model="m", research_after_failures=False)
    with ScriptedModel(FAILS, FAILS, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("42", names=TOOLS), config, model)
    assert "Look up" not in "".join(tool_texts(result.messages))


@pytest.mark.parametrize(
    "text",
    [
        "I'm not sure.",
        "I\N{RIGHT SINGLE QUOTATION MARK}m not sure about this.",
        "Hm. I am really not certain what it prints.",
        "I don't know.",
        "I do not know the answer to that.",
        "I don't actually know what version it is.",
        "Sorry, I could not find anything about it.",
        "I was unable to determine the cause.",
        "I have no idea.",
        "Not sure, but maybe 42?",
        "I don't have enough information to answer.",
        "My best guess is 42.",
        "We are unable to say.",
    ],
)
def test_these_answers_are_unsure(text: str) -> None:
    assert is_unsure(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It is 42.",
        "The status is unknown to the server, so it answers 404.",
        "The program prints `I'm not sure`.",
        'It answered "I don\'t know" to every question.',
        "```\nI'm not sure\n```",
        "Is there anything else you want to know?",
        "An uncertain number of items is read until the end of the file.",
        "Make sure that you know the path.",
        "The function cannot find the key and returns None.",
    ],
)
def test_these_answers_are_not(text: str) -> None:
    assert not is_unsure(text)

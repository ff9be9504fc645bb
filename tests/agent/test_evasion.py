"""Replies that only promise, or overlook what the tool has said: asked about once, not believed."""

from __future__ import annotations

import pytest

from mini_agent.agent.guardrails.evasion import (
    OVERSIGHT_DIRECTIVE,
    PROMISE_DIRECTIVE,
    detect_evasion,
)
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.catalog import EchoMCP
from tests.agent.checked_run import TASK, run_agent

CONFIG = AgentConfig(model="m")
ECHOES = calls_reply(scripted_call("echo", text="a3b2c1"))
OVERSIGHT = OVERSIGHT_DIRECTIVE.format(output="a3b2c1")


async def test_a_model_that_only_promises_a_call_is_asked_to_make_it() -> None:
    promise = text_reply("I will use the echo tool to find out.")
    with ScriptedModel(promise, ECHOES, text_reply("It is a3b2c1.")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "It is a3b2c1."
    assert model.requests[1].messages[-1] == user(PROMISE_DIRECTIVE)


async def test_a_model_that_promises_again_has_come_to_nothing() -> None:
    promise = text_reply("Let me run the code:")
    with ScriptedModel(promise, promise) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.stopped_reason, result.final_answer) == ("stagnation", "Let me run the code:")


async def test_a_model_that_overlooks_the_output_is_shown_it_again() -> None:
    with ScriptedModel(
        ECHOES, text_reply("I don't see any output."), text_reply("a3b2c1")
    ) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "a3b2c1"
    assert model.requests[2].messages[-1] == user(OVERSIGHT)


async def test_a_model_that_overlooks_it_twice_is_spoken_for_by_it() -> None:
    blind = text_reply("Please run the tool and tell me the output.")
    with ScriptedModel(ECHOES, blind, blind) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("a3b2c1", "tool_output")
    assert result.stopped_reason == "success"


async def test_an_answer_that_is_cut_off_before_the_result_is_asked_for_again() -> None:
    cut = text_reply("The result of the task that you", finish_reason="length")
    with ScriptedModel(ECHOES, cut, text_reply("a3b2c1")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "a3b2c1"


async def test_thoughts_without_the_result_are_not_the_answer() -> None:
    musing = text_reply("", reasoning="Now I know.")
    with ScriptedModel(ECHOES, musing, text_reply("a3b2c1")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "a3b2c1"


async def test_without_tools_a_promise_is_an_answer() -> None:
    with ScriptedModel(text_reply("I will write to you tomorrow.")) as model:
        config = AgentConfig(model="m", use_tools=False)
        result = await run_agent(TASK, EchoMCP(), config, model)
    assert result.final_answer == "I will write to you tomorrow."


@pytest.mark.parametrize(
    "text",
    [
        "I'll run a quick script.",
        "First, I need to compute the product.",
        "Running the code...",
        "Je vais utiliser l'outil.",
        "Ich werde das berechnen.",
        "Voy a ejecutar el programa.",
        "我将运行代码。",
        "コードを実行します。",
    ],
)
def test_these_are_promises(text: str) -> None:
    assert detect_evasion(text, "").kind == "promise"


@pytest.mark.parametrize(
    "text",
    [
        "42",
        "The answer is 42.",
        "Hello! How can I help you?",
        "Shall I run it?",
        "I can run it for you.",
        "Let me know if I should run it.",
        "I will be happy to help.",
        "I used the tool: it printed 42.",
    ],
)
def test_these_are_not(text: str) -> None:
    assert detect_evasion(text, "").kind == ""


@pytest.mark.parametrize(
    "text",
    [
        "I am waiting for the result.",
        "The tool returned an error.",
        "There is no output.",
        "The result is [insert result here].",
        "The result is {{output}}.",
        "The tool failed.",
    ],
)
def test_these_overlook_the_output(text: str) -> None:
    assert detect_evasion(text, "42").kind == "oversight"
    assert detect_evasion(f"{text} 42", "42").kind == ""


@pytest.mark.parametrize(
    "text",
    [
        "Done.",
        "The file is written.",
        "The list holds [1, 2].",
        "All tests pass.",
        "It is forty-two.",
    ],
)
def test_these_do_not(text: str) -> None:
    assert detect_evasion(text, "42").kind == ""

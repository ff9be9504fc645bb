"""Escalation: a stronger model takes over, once, where the run would fail."""

from __future__ import annotations

import asyncio

import pytest

from mini_agent.config import AgentConfig
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.invoker import OpenAIToolCall
from tests.agent.checked_run import TASK, ScriptedInvoker, run_agent

SAME = calls_reply(scripted_call("echo", text="x"))


class Slow(ScriptedInvoker):
    """Takes most of a run's time."""

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        await asyncio.sleep(3.2)
        return await super().call_openai_tool(openai_tool)


def models(model: ScriptedModel) -> list[str]:
    return [asked.model for asked in model.requests]


async def test_a_run_that_stagnates_is_handed_over_instead_of_stopped() -> None:
    config = AgentConfig(model="weak", escalate_model="strong")
    with ScriptedModel(*[SAME] * 4, text_reply("It is a.")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert models(model) == ["weak"] * 4 + ["strong"]
    assert (result.stopped_reason, result.final_answer) == ("success", "It is a.")
    assert result.escalated


async def test_a_second_stagnation_ends_the_run() -> None:
    config = AgentConfig(model="weak", escalate_model="strong", max_iterations=20)
    with ScriptedModel(*[SAME] * 8, text_reply("It is a.")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert models(model) == ["weak"] * 4 + ["strong"] * 5
    assert result.stopped_reason == "stagnation"


async def test_near_the_last_turn_the_stronger_model_takes_over() -> None:
    config = AgentConfig(
        model="weak", escalate_model="strong", escalate_on_budget_exceeded=True, max_iterations=4
    )
    several = [calls_reply(scripted_call("echo", text=str(number))) for number in range(4)]
    with ScriptedModel(*several, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a", "b", "c", "d"), config, model)
    assert models(model) == ["weak", "weak", "weak", "strong", "strong"]
    assert result.escalated


async def test_near_the_end_of_its_time_the_stronger_model_takes_over() -> None:
    config = AgentConfig(
        model="weak",
        escalate_model="strong",
        escalate_on_budget_exceeded=True,
        max_wallclock_seconds=4,
    )
    with ScriptedModel(SAME, text_reply("done")) as model:
        result = await run_agent(TASK, Slow("a"), config, model)
    assert models(model) == ["weak", "strong"]
    assert result.final_answer == "done"


async def test_without_the_word_for_it_the_end_of_the_budget_changes_nothing() -> None:
    config = AgentConfig(model="weak", escalate_model="strong", max_iterations=2)
    several = [calls_reply(scripted_call("echo", text=str(number))) for number in range(2)]
    with ScriptedModel(*several, text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a", "b"), config, model)
    assert models(model) == ["weak"] * 3
    assert not result.escalated


async def test_the_first_turn_is_never_the_stronger_models() -> None:
    config = AgentConfig(
        model="weak", escalate_model="strong", escalate_on_budget_exceeded=True, max_iterations=1
    )
    with ScriptedModel(text_reply("done")) as model:
        result = await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert models(model) == ["weak"]
    assert not result.escalated


@pytest.mark.parametrize(
    ("stronger", "sent"),
    [("ollama_chat/big", {"api_base", "api_key", "seed"}), ("openai/big", {"seed"})],
)
async def test_a_model_elsewhere_is_not_sent_the_address_and_the_key(
    stronger: str, sent: set[str]
) -> None:
    config = AgentConfig(
        model="ollama/small",
        escalate_model=stronger,
        completion_kwargs={"api_base": "http://x", "api_key": "secret", "seed": 1},
    )
    with ScriptedModel(*[SAME] * 4, text_reply("done")) as model:
        await run_agent(TASK, ScriptedInvoker("a"), config, model)
    assert set(model.requests[0].options) == {"api_base", "api_key", "seed"}
    assert set(model.requests[4].options) == sent

"""A conversation told anew: on request, and when it gets too long for its model."""

from __future__ import annotations

from dataclasses import replace

from mini_agent.coding.compaction import CompactionRequest, ContextLimit
from mini_agent.model import ModelReply
from mini_agent.result import Usage
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness


def costing(reply: ModelReply, tokens: int) -> ModelReply:
    return replace(reply, usage=Usage(prompt_tokens=tokens, completion_tokens=1))


async def test_a_summary_stands_for_all_that_was_said(harness: Harness) -> None:
    script = (text_reply("One."), text_reply("They asked for one."), text_reply("Two."))
    with ScriptedModel(*script) as model:
        async with harness.open_session(model) as runtime:
            await runtime.assistant.prompt("One?")
            await runtime.assistant.compact(CompactionRequest("the number"))
            await runtime.assistant.prompt("Two?")
    assert "Above all: the number" in str(model.requests[1].messages[-1]["content"])
    told = [message["role"] for message in model.requests[2].messages]
    assert told == ["system", "user", "user"]
    assert "They asked for one." in str(model.requests[2].messages[1]["content"])


async def test_a_conversation_that_gets_too_long_is_told_anew_and_goes_on(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    script = (
        costing(calls_reply(scripted_call("Read", file_path="a.txt")), 900),
        text_reply("a.txt was read; it says old."),
        costing(text_reply("old"), 100),
    )

    harness.window = 1000
    with ScriptedModel(*script) as model:
        outcome = await harness.run_prompt(model, "What is in a.txt?")
    assert outcome.answer == "old"
    assert "a.txt was read" in str(model.requests[-1].messages)
    assert not model.requests[1].tools
    assert harness.observer.warnings == [
        "the conversation is nearly too long for the model: compacting it"
    ]


def test_a_window_nobody_knows_is_never_full() -> None:
    assert not ContextLimit(None).is_full(Usage(prompt_tokens=10**9))
    assert ContextLimit(1000).is_full(Usage(prompt_tokens=801))

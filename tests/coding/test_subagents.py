"""Subagents: their own conversation, their own file, a last answer."""

from __future__ import annotations

import pytest

from mini_agent.coding.front_matter import DocumentFolder
from mini_agent.coding.subagents.definition import read_subagent_types
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness

AGENT = """---
name: reader
description: reads files
tools: Read, Grep
model: inherit
---
You read files and say what is in them."""


def test_agents_of_files_have_names_tools_and_a_prompt(harness: Harness) -> None:
    path = harness.file(".claude/agents/reader.md", AGENT)
    known = read_subagent_types([DocumentFolder(path.parent)], print)
    reader = known["reader"]
    assert (reader.description, reader.tools, reader.model) == (
        "reads files",
        ("Read", "Grep"),
        "",
    )
    assert set(known) == {"default-agent", "reader"}


async def test_a_subagent_answers_from_a_conversation_of_its_own(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    harness.file(".claude/agents/reader.md", AGENT)
    task = scripted_call("Task", description="read", prompt="Read a.txt.", subagent_type="reader")
    script = (
        calls_reply(task),
        calls_reply(scripted_call("Read", file_path="a.txt")),
        text_reply("It says old."),
        text_reply("old"),
    )
    with ScriptedModel(*script) as model:
        outcome = await harness.run_prompt(model, "What is in a.txt?")
    assert outcome.answer == "old"
    below = model.requests[1]
    assert str(below.messages[0]["content"]).startswith("You read files")
    assert below.messages[1]["content"] == "Read a.txt."
    assert len(below.tools) <= 2
    assert "It says old." in str(model.requests[3].messages[-1]["content"])
    (beside,) = harness.sessions.glob("*.reader-*.jsonl")
    assert "Read a.txt." in beside.read_text()


async def test_an_agent_nobody_knows_is_an_observation(harness: Harness) -> None:
    task = scripted_call("Task", description="x", prompt="y", subagent_type="painter")
    with ScriptedModel(calls_reply(task), text_reply("No.")) as model:
        await harness.run_prompt(model, "Paint.")
    assert "painter" in str(model.requests[-1].messages[-1]["content"])
    assert "default-agent" in str(model.requests[-1].messages[-1]["content"])


@pytest.mark.parametrize("depth", [2])
async def test_agents_do_not_start_agents_for_ever(harness: Harness, depth: int) -> None:
    task = scripted_call("Task", description="x", prompt="y", subagent_type="default-agent")
    script = [
        *(calls_reply(task) for _ in range(depth)),
        *(text_reply("z") for _ in range(depth + 1)),
    ]
    with ScriptedModel(*script) as model:
        await harness.run_prompt(model, "Go.")
    offered = [{str(t["function"]) for t in request.tools} for request in model.requests]
    assert not any("'Task'" in tool for tool in offered[depth])

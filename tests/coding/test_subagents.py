"""Subagents: their own conversation, their own file, a last answer."""

from __future__ import annotations

import pytest

from mini_agent.coding.front_matter import DocumentFolder
from mini_agent.coding.subagents.definition import read_subagent_types
from mini_agent.model import ToolCall as ScriptedCall
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


def agent_file(keys: str) -> str:
    return f"---\nname: limited\ndescription: d\n{keys}\n---\nYou work."


WRITE = scripted_call("Write", file_path="made", content="x")
TOUCH = scripted_call("Bash", command="touch made")
TASK = scripted_call("Task", description="x", prompt="Go.", subagent_type="limited")
LIMITS = {
    "plan": ("permissionMode: plan", TOUCH),
    "plan in quotes": ('permissionMode: "plan"', WRITE),
    "other spelling": ("permission_mode: plan", TOUCH),
    "tools": ("tools: Read", TOUCH),
    "no tools": ("tools: []", TOUCH),
    "capital key": ("Tools: Read", TOUCH),
    "denied": ("disallowedTools: Bash", TOUCH),
    "denied list": ("disallowedTools:\n  - Bash\n  - Write", WRITE),
    "denied spelling": ("disallowed-tools: Bash", TOUCH),
    "denied spec": ("disallowedTools: Bash(touch *)", TOUCH),
    "denied all": ('disallowedTools: "*"', TOUCH),
    "denied star, bare": ("disallowedTools: *", TOUCH),
    "colon in description": ("description: Use when: asked\ndisallowedTools: Bash", TOUCH),
    "denied agent": ("disallowedTools: Bash", TASK),
}


@pytest.mark.parametrize(("keys", "tried"), LIMITS.values(), ids=LIMITS)
async def test_the_limits_of_an_agent_hold(
    harness: Harness, keys: str, tried: ScriptedCall
) -> None:
    harness.file(".claude/agents/limited.md", agent_file(keys))
    script = (calls_reply(TASK), calls_reply(tried), text_reply("Tried."), text_reply("Done."))
    with ScriptedModel(*script) as model:
        await harness.run_prompt(model, "Go.", permission_mode="bypassPermissions")
    assert not (harness.project / "made").exists()
    assert "not enabled" in str(model.requests) or "denied" in str(model.requests)


REFUSED = {
    "hooks": "hooks:\n  PreToolUse:\n    - matcher: Bash",
    "isolation": "isolation: worktree",
    "unknown mode": "permissionMode: careful",
    "nested tool": "tools:\n  Read: true",
    "nested tools": "disallowedTools:\n  Bash: true",
    "a rule that is none": "disallowedTools: Bash(",
}


@pytest.mark.parametrize("keys", REFUSED.values(), ids=REFUSED)
async def test_an_agent_whose_limits_cannot_hold_is_left_out_aloud(
    harness: Harness, keys: str
) -> None:
    harness.file(".claude/agents/limited.md", agent_file(keys))
    with ScriptedModel(calls_reply(TASK), text_reply("No.")) as model:
        await harness.run_prompt(model, "Go.", permission_mode="bypassPermissions")
    assert "'limited' is not recognized" in str(model.requests[-1].messages[-1]["content"])
    assert any("limited.md is left out: " in line for line in harness.observer.warnings)


@pytest.mark.parametrize("keys", ["permissionMode: bypassPermissions", "mcpServers: [x]"])
async def test_an_agent_that_asks_for_more_does_not_get_it_and_a_line_says_so(
    harness: Harness, keys: str
) -> None:
    harness.file(".claude/agents/limited.md", agent_file(keys))
    script = (calls_reply(TASK), calls_reply(TOUCH), text_reply("Tried."), text_reply("Done."))
    with ScriptedModel(*script) as model:
        await harness.run_prompt(model, "Go.")
    assert not (harness.project / "made").exists()
    assert [line for line in harness.observer.warnings if "limited.md: " in line]


@pytest.mark.parametrize("keys", ["tools: *", 'tools: "*"', "model: inherit", "color: red"])
async def test_an_agent_without_limits_has_the_tools_of_the_session(
    harness: Harness, keys: str
) -> None:
    text = agent_file(keys).replace("\n", "\r\n")
    harness.file(".claude/agents/limited.md", "\ufeff" + text)
    script = (calls_reply(TASK), calls_reply(TOUCH), text_reply("Made."), text_reply("Done."))
    with ScriptedModel(*script) as model:
        await harness.run_prompt(model, "Go.", permission_mode="bypassPermissions")
    assert (harness.project / "made").exists()
    assert not any("limited.md" in line for line in harness.observer.warnings)


@pytest.mark.parametrize("text", ["---\nname: limited\ntools: Read\n", "---\n- a\n---\nx", "\0"])
async def test_a_broken_agent_costs_itself_and_a_line(harness: Harness, text: str) -> None:
    harness.file(".claude/agents/limited.md", text)
    with ScriptedModel(text_reply("Hello.")) as model:
        outcome = await harness.run_prompt(model, "Hi.")
    assert outcome.answer == "Hello."
    assert len([line for line in harness.observer.warnings if "limited.md is left" in line]) == 1


async def test_an_agent_with_a_limit_in_two_spellings_is_left_out(harness: Harness) -> None:
    keys = "disallowedTools: Bash\ndisallowed-tools: Read"
    harness.file(".claude/agents/limited.md", agent_file(keys))
    with ScriptedModel(text_reply("Hello.")) as model:
        await harness.run_prompt(model, "Hi.")
    assert "there twice" in " ".join(harness.observer.warnings)

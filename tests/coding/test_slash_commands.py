"""What every slash command does and says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from mini_agent.coding.bootstrap import AssistantRuntime
from mini_agent.coding.terminal.commands import (
    COMMAND_HELP,
    USER_EXIT,
    CommandResult,
    PromptText,
    SlashCommands,
    Transition,
)
from mini_agent.errors import BadRequest
from mini_agent.messages import JsonObject
from mini_agent.model import Model
from mini_agent.result import Usage
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import PROGRAM, Harness


@dataclass
class SlashSession:
    """A session with its commands, and what they have said."""

    runtime: AssistantRuntime
    said: list[str]
    slash: SlashCommands

    async def does(self, line: str) -> CommandResult:
        self.said.clear()
        return await self.slash.execute(line)

    async def shows(self, line: str) -> str:
        assert await self.does(line) is None
        (said,) = self.said
        return said


@asynccontextmanager
async def open_slash_session(
    harness: Harness, model: Model, **options: object
) -> AsyncIterator[SlashSession]:
    said: list[str] = []
    async with harness.open_session(model, **options) as runtime:
        yield SlashSession(runtime, said, SlashCommands(runtime, said.append))


async def test_every_command_is_in_the_list_and_does_something(harness: Harness) -> None:
    told = []
    for name in COMMAND_HELP:
        with ScriptedModel(
            text_reply("One."), *([text_reply("In short.")] * (name == "compact"))
        ) as model:
            async with open_slash_session(harness, model) as at:
                await at.runtime.assistant.prompt("One?")
                done = await at.does(f"/{name}")
                told.append((name, bool(at.said), done))
                assert f"/{name} " in await at.shows("/help")
    silent = {"clear": Transition(opens_session=True, reason="clear"), "exit": USER_EXIT}
    assert told == [(name, name not in silent, silent.get(name)) for name in COMMAND_HELP]


async def test_the_files_of_the_user_and_the_project_are_commands_too(harness: Harness) -> None:
    harness.file(
        ".claude/commands/greet.md", "---\ndescription: greets\n---\nGreet $1, then $ARGUMENTS."
    )
    harness.file(".claude/commands/plain.md", "Do it.")
    harness.file(".claude/skills/knit/SKILL.md", "---\nname: knit\ndescription: knits\n---\nKnit.")
    with ScriptedModel() as model:
        async with open_slash_session(harness, model) as at:
            assert await at.does("/greet Ada Bob") == PromptText("Greet Ada, then Ada Bob.")
            assert await at.does("/plain now") == PromptText("Do it.\n\nnow")
            assert await at.does("/knit") == PromptText("Knit.")
            assert {"greet", "plain", "knit"} <= set(at.slash.names)
            assert "/greet        greets" in await at.shows("/help")


async def test_cost_and_context_count_all_that_was_asked(harness: Harness) -> None:
    harness.window = 100
    with ScriptedModel(text_reply("One."), text_reply("Two.")) as model:
        async with open_slash_session(harness, model) as at:
            assert await at.shows("/context") == "nothing has been asked yet"
            await at.runtime.assistant.prompt("One?")
            await at.runtime.assistant.prompt("Two?")
            assert await at.shows("/context") == "30 of 100 tokens (30 %)"
            assert (await at.shows("/cost")).startswith(
                "40 input tokens, of them 0 from the cache;"
            )


async def test_what_agents_have_cost_counts_and_fills_no_context(harness: Harness) -> None:
    harness.window = 100
    task = scripted_call("Task", description="x", prompt="y", subagent_type="default-agent")
    long = replace(
        text_reply("One."), usage=Usage(prompt_tokens=1000, completion_tokens=5, cost=0.5)
    )
    with ScriptedModel(calls_reply(task), long, text_reply("Two.")) as model:
        async with open_slash_session(harness, model) as at:
            await at.runtime.assistant.prompt("Go.")
            assert await at.shows("/context") == "30 of 100 tokens (30 %)"
            said = await at.shows("/cost")
    assert said == ("1040 input tokens, of them 0 from the cache; 25 response tokens; $0.5000")


async def test_compact_puts_a_summary_in_the_place_of_what_was_said(harness: Harness) -> None:
    with ScriptedModel(text_reply("One."), text_reply("In short.")) as model:
        async with open_slash_session(harness, model) as at:
            with pytest.raises(BadRequest, match="nothing has been said yet"):
                await at.does("/compact")
            await at.runtime.assistant.prompt("One?")
            assert "summary" in await at.shows("/compact the number")
            assert "In short." in str(at.runtime.assistant.session.messages)


async def test_a_session_is_taken_up_by_number_or_id(harness: Harness) -> None:
    with ScriptedModel(text_reply("One.")) as model:
        async with open_slash_session(harness, model) as at:
            assert await at.shows("/resume") == "no sessions yet"
            await at.runtime.assistant.prompt("One?")
            own = at.runtime.assistant.session.id
            assert "1  " in (shown := await at.shows("/resume"))
            assert "One?" in shown
            own_again = Transition(opens_session=True, session=own, reason="resume")
            assert await at.does("/resume 1") == own_again
            assert await at.does(f"/resume {own}") == own_again
            for unknown in ("99", "nonsense", own.replace("-4", "-5")):
                with pytest.raises(BadRequest, match="there is no session"):
                    await at.does(f"/resume {unknown}")
    assert not (harness.project / "99").exists()


async def test_another_model_goes_on_with_the_same_session(harness: Harness) -> None:
    with ScriptedModel(text_reply("One.")) as model:
        async with open_slash_session(harness, model) as at:
            assert "openai/scripted answers" in await at.shows("/model")
            assert await at.does("/model a/b") == Transition(
                opens_session=True, session="", model="a/b"
            )
            await at.runtime.assistant.prompt("One?")
            path = str(at.runtime.assistant.session.path)
            assert await at.does("/model a/b") == Transition(
                opens_session=True, session=path, model="a/b"
            )


async def test_permissions_show_the_rules_and_change_the_mode(harness: Harness) -> None:
    rights = {"allowed_tools": ("Bash(git *)",), "disallowed_tools": ("WebFetch",)}
    with ScriptedModel() as model:
        async with open_slash_session(harness, model, **rights) as at:
            shown = await at.shows("/permissions")
            assert shown.splitlines() == ["mode: default", "deny  WebFetch", "allow Bash(git *)"]
            assert "mode: acceptEdits" in await at.shows("/permissions acceptEdits")
            with pytest.raises(BadRequest, match="there is no mode 'x'"):
                await at.does("/permissions x")


async def test_plan_mode_is_switched_and_really_denies(harness: Harness) -> None:
    write = calls_reply(scripted_call("Write", file_path="new.txt", content="x"))
    with ScriptedModel(write, text_reply("I may not.")) as model:
        async with open_slash_session(harness, model, allowed_tools=("Write",)) as at:
            assert await at.shows("/plan") == "plan mode is on"
            await at.runtime.assistant.prompt("Make it.")
            assert await at.shows("/plan") == "plan mode is off"
            with pytest.raises(BadRequest):
                await at.does("/plan perhaps")
    assert "Plan mode is on" in str(model.requests[0].messages[-1]["content"])
    assert not (harness.project / "new.txt").exists()


async def test_agents_hooks_and_servers_are_listed(harness: Harness) -> None:
    harness.file(".claude/agents/reader.md", "---\nname: reader\ndescription: reads\n---\nRead.")
    own: JsonObject = {"type": "command", "command": "true", "timeout": 5}
    harness.settings({"hooks": {"PreToolUse": [{"matcher": "Read", "hooks": [own]}]}})
    mcp = ("builtin", "no-such-x", f"{PROGRAM} tools")
    with ScriptedModel() as model:
        async with open_slash_session(harness, model, mcp=mcp) as at:
            assert "reader: reads" in await at.shows("/agents")
            assert await at.shows("/hooks") == "PreToolUse Read: true (5 s)"
            shown = (await at.shows("/mcp")).splitlines()
    assert shown[0].startswith("no-such-x: ")
    assert shown[1].endswith(": connected")
    assert "tools: Task, Bash, " in shown[2]


async def test_export_writes_the_conversation_and_overwrites_nothing(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    script = (
        calls_reply(scripted_call("Read", file_path="a.txt"), text="I look."),
        text_reply("It says old."),
    )
    with ScriptedModel(*script) as model:
        async with open_slash_session(harness, model) as at:
            await at.runtime.assistant.prompt("What is in a.txt?")
            assert await at.shows("/export talk.md") == f"written to {harness.project / 'talk.md'}"
            with pytest.raises(BadRequest, match="is there already"):
                await at.does("/export talk.md")
            with pytest.raises(BadRequest, match="cannot be written"):
                await at.does("/export nowhere/talk.md")
    written = (harness.project / "talk.md").read_text()
    parts = [
        "## You",
        "What is in a.txt?",
        "## The assistant",
        "I look.",
        '`Read` {"file_path"',
        "old",
    ]
    places = [written.index(part) for part in parts]
    assert places == sorted(places)

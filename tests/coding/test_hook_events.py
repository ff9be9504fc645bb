"""Every event of hooks comes when it is to, and its hooks are told what Claude Code tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.coding.approval import UserAnswer
from mini_agent.coding.compaction import CompactionRequest
from mini_agent.coding.hooks.event import EVENT_NAMES
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.tools.protocols import Question
from mini_agent.messages import JsonObject
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness, wait_until
from tests.coding.test_hooks import READS, hook, hook_for, prints
from tests.coding.transcript_lines import (
    model_line,
    text_block,
    tool_use_block,
    user_line,
)

COMMON: Final = {"session_id", "transcript_path", "cwd", "permission_mode", "hook_event_name"}
# What Claude Code 2.1.197 writes, as far as it means anything here.
OWN: Final = {
    "SessionStart": {"source"},
    "UserPromptSubmit": {"prompt"},
    "PreToolUse": {"tool_name", "tool_input", "tool_use_id"},
    "PostToolUse": {"tool_name", "tool_input", "tool_response", "tool_use_id"},
    "Notification": {"message", "title", "notification_type"},
    "Stop": {"stop_hook_active", "last_assistant_message"},
    "SubagentStop": {"stop_hook_active", "last_assistant_message"}
    | {"agent_id", "agent_type", "agent_transcript_path"},
    "PreCompact": {"trigger", "custom_instructions"},
    "SessionEnd": {"reason"},
}
TOLD: Final = "cat > $$.new; mv $$.new {}-$$.json"
TASK: Final = scripted_call("Task", description="x", prompt="y", subagent_type="default-agent")


def read_payloads(harness: Harness, event: str) -> list[JsonObject]:
    """What the hooks of one event were told, in the order of time."""
    paths = sorted(
        harness.project.glob(f"{event}-*.json"), key=lambda path: path.stat().st_mtime_ns
    )
    return [json.loads(path.read_text()) for path in paths]


@dataclass
class Patient:
    """Agrees to everything, once hooks have heard of the question."""

    project: Path
    asked: int = 0

    async def ask_permission(self, asked: Ask) -> UserAnswer:
        del asked
        await self._heard()
        return UserAnswer("once")

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        await self._heard()
        return {question.text: "yes" for question in questions}

    async def approve_plan(self, plan: str) -> bool:
        del plan
        await self._heard()
        return True

    def interruptible(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        del stop
        return nullcontext()

    async def read_prompt(self) -> str | None:
        await self._heard()
        return None

    async def _heard(self) -> None:
        self.asked += 1
        await asyncio.to_thread(wait_until, self._has_come)

    def _has_come(self) -> bool:
        return len([*self.project.glob("Notification-*.json")]) >= self.asked


async def test_each_event_is_told_what_claude_code_tells(harness: Harness) -> None:
    groups: JsonObject = {event: hook_for(TOLD.format(event)) for event in EVENT_NAMES}
    harness.settings({"hooks": groups})
    harness.prompter = Patient(harness.project)
    makes = calls_reply(scripted_call("Bash", command="touch made"))
    script = (
        makes,
        calls_reply(TASK),
        text_reply("One."),
        text_reply("Done."),
        text_reply("In short: done."),
    )
    with ScriptedModel(*script) as model:
        async with harness.open_session(model) as runtime:
            await runtime.assistant.prompt("Go.")
            await runtime.assistant.compact(CompactionRequest("the names"))
    for event in EVENT_NAMES:
        for each in read_payloads(harness, event):
            assert set(each) == COMMON | OWN[event]
            assert (each["hook_event_name"], each["cwd"]) == (event, str(harness.project))
    assert [each["source"] for each in read_payloads(harness, "SessionStart")] == [
        "startup",
        "compact",
    ]
    assert [each["prompt"] for each in read_payloads(harness, "UserPromptSubmit")] == ["Go."]
    before, after = read_payloads(harness, "PreToolUse"), read_payloads(harness, "PostToolUse")
    assert [each["tool_name"] for each in before] == ["Bash", "Task"]
    assert [each["tool_use_id"] for each in before] == [each["tool_use_id"] for each in after]
    assert after[1]["tool_response"] == "One."
    (notice,) = read_payloads(harness, "Notification")
    assert notice["notification_type"] == "permission_prompt"
    assert notice["message"] == "mini-agent needs your permission: Run this command? touch made"
    (agent,), (end,) = read_payloads(harness, "SubagentStop"), read_payloads(harness, "Stop")
    assert (agent["agent_type"], agent["last_assistant_message"]) == ("default-agent", "One.")
    assert agent["agent_transcript_path"] in [*map(str, harness.sessions.iterdir())]
    assert (end["last_assistant_message"], end["stop_hook_active"]) == ("Done.", False)
    (compacted,) = read_payloads(harness, "PreCompact")
    assert (compacted["trigger"], compacted["custom_instructions"]) == ("manual", "the names")
    assert [each["reason"] for each in read_payloads(harness, "SessionEnd")] == ["other"]


async def test_a_session_that_is_interrupted_ends_with_its_hooks(harness: Harness) -> None:
    harness.settings(hook("SessionEnd", TOLD.format("SessionEnd")))
    waits = calls_reply(scripted_call("Bash", command="touch begun; sleep 100"))
    with ScriptedModel(waits) as model:
        running = asyncio.create_task(
            harness.run_prompt(model, "Wait.", permission_mode="bypassPermissions")
        )
        await asyncio.to_thread(wait_until, (harness.project / "begun").exists)
        running.cancel()
        await asyncio.wait({running})
    assert [each["reason"] for each in read_payloads(harness, "SessionEnd")] == ["other"]


async def test_what_a_hook_complains_about_at_the_start_is_shown(harness: Harness) -> None:
    harness.settings(hook("SessionStart", "echo 'no network' >&2; exit 2"))
    with ScriptedModel(text_reply("Hello.")) as model:
        assert (await harness.run_prompt(model, "Hi.")).answer == "Hello."
    assert "no network" in harness.observer.warnings


async def test_a_call_that_was_left_open_is_carried_out_before_hooks_add_to_it(
    harness: Harness,
) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook("SessionStart", "echo 'Use tabs.'", "resume"))
    path = harness.transcript(
        user_line("u1", None, "Look."),
        model_line("a1", "u1", tool_use_block("c1", "Read", file_path="a.txt")),
    )
    with ScriptedModel(text_reply("It says old.")) as model:
        await harness.run_prompt(model, resume=str(path))
    asked, made, came, added = model.requests[0].messages[-4:]
    assert (asked["content"], made["role"], came["role"]) == ("Look.", "assistant", "tool")
    assert "old" in str(came["content"])
    assert "Use tabs." in str(added["content"])


async def test_what_hooks_add_at_the_start_is_no_prompt(harness: Harness) -> None:
    harness.settings(hook("SessionStart", "echo 'Use tabs.'"))
    path = harness.transcript(
        user_line("u1", None, "Hi."), model_line("a1", "u1", text_block("Hello."))
    )
    with ScriptedModel() as model:
        async with harness.open_session(model, resume=str(path)) as runtime:
            assert not runtime.assistant.session.awaits_model


async def test_a_summary_waits_for_the_user_and_is_followed_by_what_hooks_add(
    harness: Harness,
) -> None:
    harness.settings(hook("SessionStart", "echo 'Use tabs.'", "compact"))
    with ScriptedModel(
        text_reply("Hello."), text_reply("In short: hi."), text_reply("Tabs.")
    ) as model:
        async with harness.open_session(model) as runtime:
            await runtime.assistant.prompt("Hi.")
            await runtime.assistant.compact(CompactionRequest())
            assert not runtime.assistant.session.awaits_model
            await runtime.assistant.prompt("Tabs or blanks?")
    words = [str(message["content"]) for message in model.requests[-1].messages]
    places = [
        next(i for i, w in enumerate(words) if each in w) for each in ("In short", "Use tabs.")
    ]
    assert places == sorted(places)
    assert "Tabs or blanks?" in words[-1]


async def test_what_a_hook_adds_before_a_call_stands_behind_its_result(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    adds: JsonObject = {"hookSpecificOutput": {"additionalContext": "It is generated."}}
    harness.settings(hook("PreToolUse", prints(adds), "Read"))
    with ScriptedModel(READS, text_reply("old")) as model:
        await harness.run_prompt(model, "Look.")
    came = str(model.requests[-1].messages[-1]["content"])
    assert came.index("old") < came.index("It is generated.")


async def test_a_matcher_may_call_agents_as_claude_code_does_now(harness: Harness) -> None:
    harness.settings(hook("PreToolUse", "echo 'no agents' >&2; exit 2", "Agent"))
    with ScriptedModel(calls_reply(TASK), text_reply("I may not.")) as model:
        await harness.run_prompt(model, "Go.")
    assert "no agents" in str(model.requests[-1].messages[-1]["content"])

"""Hooks of settings.json and of MCP servers: what they are told, and what follows."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from mini_agent.coding.hooks.commands import matches
from mini_agent.coding.hooks.decision import HookDecision, combine_decisions, parse_decision
from mini_agent.messages import JsonObject
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness


def hook(event: str, command: str, matcher: str = "", **more: JsonValue) -> JsonObject:
    return {"hooks": {event: hook_for(command, matcher, **more)}}


def hook_for(command: str, matcher: str = "", **more: JsonValue) -> list[JsonValue]:
    own: JsonObject = {"type": "command", "command": command, **more}
    return [{"matcher": matcher, "hooks": [own]}]


def prints(value: JsonObject) -> str:
    return f"echo '{json.dumps(value)}'"


READS = calls_reply(scripted_call("Read", file_path="a.txt"))


async def test_a_hook_is_told_what_claude_code_tells(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook("PreToolUse", "cat > told.json", "Read"))
    with ScriptedModel(READS, text_reply("old")) as model:
        await harness.run_prompt(model, "Look.")
    told = json.loads((harness.project / "told.json").read_text())
    assert told["hook_event_name"] == "PreToolUse"
    assert told["tool_name"] == "Read"
    assert told["tool_input"] == {"file_path": "a.txt"}
    assert told["cwd"] == str(harness.project)
    assert told["permission_mode"] == "default"
    assert told["transcript_path"].endswith(f"{told['session_id']}.jsonl")


async def test_exit_code_2_denies_a_call_with_what_was_complained_about(harness: Harness) -> None:
    harness.file("a.txt", "secret\n")
    harness.settings(hook("PreToolUse", "echo 'not this one' >&2; exit 2", "Read|Edit"))
    with ScriptedModel(READS, text_reply("I may not.")) as model:
        await harness.run_prompt(model, "Look.")
    told = model.requests[-1].messages[-1]["content"]
    assert told == "Read operation blocked by hook:\n- not this one"


async def test_another_exit_code_is_told_to_the_user_and_changes_nothing(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook("PreToolUse", "echo broken >&2; exit 3"))
    with ScriptedModel(READS, text_reply("old")) as model:
        await harness.run_prompt(model, "Look.")
    assert "old" in str(model.requests[-1].messages[-1]["content"])
    assert "failed with exit code 3: broken" in harness.observer.warnings[0]


async def test_a_hook_that_takes_too_long_is_ended_with_its_children(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook("PreToolUse", "(sleep 60; touch late) & wait", timeout=0.3))
    with ScriptedModel(READS, text_reply("old")) as model:
        await harness.run_prompt(model, "Look.")
    assert "took longer than 0.3 s" in harness.observer.warnings[0]


async def test_a_hook_may_allow_what_would_be_asked(harness: Harness) -> None:
    allows: JsonObject = {"hookSpecificOutput": {"permissionDecision": "allow"}}
    harness.settings(hook("PreToolUse", prints(allows), "Bash"))
    with ScriptedModel(
        calls_reply(scripted_call("Bash", command="touch made")), text_reply("Made.")
    ) as model:
        await harness.run_prompt(model, "Make it.")
    assert (harness.project / "made").exists()


async def test_a_hook_cannot_allow_what_a_rule_denies(harness: Harness) -> None:
    allows: JsonObject = {"hookSpecificOutput": {"permissionDecision": "allow"}}
    harness.settings(hook("PreToolUse", prints(allows), "Bash"))
    with ScriptedModel(
        calls_reply(scripted_call("Bash", command="touch made")), text_reply("No.")
    ) as model:
        await harness.run_prompt(model, "Make it.", disallowed_tools=("Bash",))
    assert not (harness.project / "made").exists()


async def test_a_hook_may_change_the_arguments(harness: Harness) -> None:
    harness.file("b.txt", "other\n")
    changes: JsonObject = {"hookSpecificOutput": {"updatedInput": {"file_path": "b.txt"}}}
    harness.settings(hook("PreToolUse", prints(changes), "Read"))
    with ScriptedModel(READS, text_reply("other")) as model:
        await harness.run_prompt(model, "Look.")
    assert "other" in str(model.requests[-1].messages[-1]["content"])


async def test_a_prompt_may_be_blocked_and_is_then_nowhere(harness: Harness) -> None:
    harness.settings(
        hook("UserPromptSubmit", prints({"decision": "block", "reason": "no swearing"}))
    )
    with ScriptedModel() as model:
        outcome = await harness.run_prompt(model, "Damn.")
    assert (outcome.status, "no swearing" in outcome.error) == ("failed", True)
    assert not list(harness.sessions.glob("*.jsonl"))


async def test_what_a_prompts_hook_prints_goes_beside_the_prompt(harness: Harness) -> None:
    harness.settings(hook("UserPromptSubmit", "echo 'It is Monday.'"))
    with ScriptedModel(text_reply("Yes.")) as model:
        await harness.run_prompt(model, "Which day?")
    assert "It is Monday." in str(model.requests[-1].messages[-1]["content"])


async def test_a_word_after_a_call_reaches_the_model(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook("PostToolUse", "echo 'run the linter' >&2; exit 2", "Read"))
    with ScriptedModel(READS, text_reply("old")) as model:
        await harness.run_prompt(model, "Look.")
    assert "run the linter" in str(model.requests[-1].messages[-1]["content"])


async def test_the_end_may_be_put_off(harness: Harness) -> None:
    once = "test -e asked && exit 0; touch asked; echo 'run the tests first' >&2; exit 2"
    harness.settings(hook("Stop", once))
    with ScriptedModel(text_reply("Done."), text_reply("Tested, too.")) as model:
        outcome = await harness.run_prompt(model, "Fix it.")
    assert outcome.answer == "Tested, too."
    assert "run the tests first" in str(model.requests[-1].messages[-1]["content"])


@pytest.mark.parametrize("event", ["PreToolUse", "PostToolUse"])
async def test_a_hook_may_stop_the_run(harness: Harness, event: str) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook(event, prints({"continue": False, "stopReason": "enough"}), "Read"))
    with ScriptedModel(READS, text_reply("Anew.")) as model:
        async with harness.open_session(model) as runtime:
            outcome = await runtime.assistant.prompt("Look.")
            assert (outcome.status, outcome.error) == ("failed", "a hook stopped the run: enough")
            assert not runtime.assistant.session.pending
            assert (await runtime.assistant.prompt("Go on.")).answer == "Anew."


async def test_an_agents_end_may_be_put_off(harness: Harness) -> None:
    harness.settings(
        hook("SubagentStop", "grep -q '_active\": true' || { echo more >&2; exit 2; }")
    )
    task = scripted_call("Task", description="x", prompt="y", subagent_type="default-agent")
    with ScriptedModel(
        calls_reply(task), text_reply("One."), text_reply("Two."), text_reply("Done.")
    ) as model:
        outcome = await harness.run_prompt(model, "Go.")
    assert outcome.answer == "Done."
    assert model.requests[2].messages[-1]["content"] == "more"
    assert model.requests[3].messages[-1]["content"] == "Two."


async def test_a_hook_may_keep_a_conversation_as_it_is(harness: Harness) -> None:
    harness.file("a.txt", "old\n")
    harness.settings(hook("PreCompact", "echo 'not now' >&2; exit 2", "auto"))
    harness.window = 10
    with ScriptedModel(READS, text_reply("old")) as model:
        outcome = await harness.run_prompt(model, "Look.")
    assert outcome.answer == "old"
    assert harness.observer.warnings[-1].endswith(
        "a hook does not want the conversation compacted: not now"
    )


async def test_a_session_begins_and_ends_with_hooks(harness: Harness) -> None:
    begins = hook("SessionStart", "echo 'Use tabs.'", "startup")
    ends = hook("SessionEnd", "touch ended")
    harness.settings({"hooks": {**dict(begins["hooks"]), **dict(ends["hooks"])}})  # type: ignore[arg-type]
    with ScriptedModel(text_reply("Yes.")) as model:
        await harness.run_prompt(model, "Hi.")
    assert "Use tabs." in str(model.requests[-1].messages)
    assert (harness.project / "ended").exists()


async def test_a_project_that_is_not_trusted_starts_nothing(harness: Harness) -> None:
    own = hook("SessionStart", "touch started")
    harness.file(".claude/settings.json", json.dumps(own))
    harness.file(".mcp.json", '{"mcpServers": {"x": {"command": "touch", "args": ["served"]}}}')
    with ScriptedModel(text_reply("Hello.")) as model:
        await harness.run_prompt(model, "Hi.")
    assert not (harness.project / "started").exists()
    assert not (harness.project / "served").exists()
    assert len([each for each in harness.observer.warnings if "not trusted" in each]) == 2
    with ScriptedModel(text_reply("Hello.")) as model:
        await harness.run_prompt(model, "Hi.", trust_project=True)
    assert (harness.project / "started").exists()


@pytest.mark.parametrize("goes_on", ["continue", "continue_"])
def test_both_spellings_of_continue_stop(goes_on: str) -> None:
    assert parse_decision(json.dumps({goes_on: False, "stopReason": "enough"})) == HookDecision(
        stops=True, reasons=("enough",)
    )


def test_the_strictest_of_several_counts_with_its_reasons() -> None:
    allow = (
        parse_decision('{"hookSpecificOutput": {"permissionDecision": "allow"}}') or HookDecision()
    )
    deny = parse_decision('{"decision": "block", "reason": "no"}') or HookDecision()
    both = combine_decisions([allow, deny])
    assert (both.permission, both.blocked, both.reason) == ("deny", True, "no")


@pytest.mark.parametrize(
    ("matcher", "about", "is_meant"),
    [
        ("", "Read", True),
        ("*", "Read", True),
        ("Read", "Read", True),
        ("Read|Edit", "Edit", True),
        ("Read", "ReadAll", False),
        ("mcp__.*", "mcp__a__b", True),
        ("Edit", "MultiEdit", False),
        ("^Multi", "MultiEdit", True),
        ("it.$", "MultiEdit", False),
    ],
)
def test_matchers(matcher: str, about: str, *, is_meant: bool) -> None:
    assert matches(matcher, about) == is_meant

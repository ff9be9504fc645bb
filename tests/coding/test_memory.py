"""CLAUDE.md, AGENTS.md, changed files, lists: what is said beside the user's words."""

from __future__ import annotations

import os
from pathlib import Path

from mini_agent.coding.memory.file_changes import EndedJobTracker, FileSnapshots
from mini_agent.coding.memory.files import read_memory
from mini_agent.coding.prompts.builtin import PROMPT_HOOK_URI, BuiltinPrompts, SessionStatus
from mini_agent.coding.tools.shell import Shell
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness

LATER = SessionStatus(is_first=False, in_plan_mode=False, prompts_since_todos=1)


def names(harness: Harness) -> list[str]:
    found = read_memory(harness.claude_home, harness.project)
    return [each.text.strip() for each in found if each.path.is_relative_to(harness.home.parent)]


def test_the_users_file_comes_first_and_the_projects_last(harness: Harness) -> None:
    harness.settings({})
    (harness.claude_home / "CLAUDE.md").write_text("user")
    (harness.project.parent / "CLAUDE.md").write_text("outer")
    harness.file("CLAUDE.md", "project")
    harness.file("CLAUDE.local.md", "mine")
    assert names(harness) == ["user", "outer", "project", "mine"]


def test_agents_md_counts_where_there_is_no_claude_md(harness: Harness) -> None:
    harness.file("AGENTS.md", "for all agents")
    assert names(harness) == ["for all agents"]
    harness.file("CLAUDE.md", "for this one")
    assert names(harness) == ["for this one"]


def test_imports_stand_before_the_file_that_names_them(harness: Harness) -> None:
    harness.file("docs/style.md", "tabs")
    harness.file("CLAUDE.md", "See @docs/style.md, not `@docs/other.md` and not me@example.com.")
    harness.file("docs/other.md", "never")
    assert names(harness) == [
        "tabs",
        "See @docs/style.md, not `@docs/other.md` and not me@example.com.",
    ]


def test_files_that_import_each_other_come_once(harness: Harness) -> None:
    harness.file("CLAUDE.md", "@a.md")
    harness.file("a.md", "@CLAUDE.md and a")
    assert sorted(names(harness)) == ["@CLAUDE.md and a", "@a.md"]


def test_a_project_cannot_import_what_lies_outside_of_it(harness: Harness) -> None:
    secret = harness.home / "secret.md"
    secret.write_text("key")
    harness.file("CLAUDE.md", f"@{secret} @~/secret.md @../home/secret.md")
    assert "key" not in names(harness)


async def test_memory_is_told_with_the_first_prompt_alone(harness: Harness) -> None:
    harness.file("CLAUDE.md", "Use tabs.")
    with ScriptedModel(text_reply("One."), text_reply("Two.")) as model:
        async with harness.open_session(model) as runtime:
            await runtime.assistant.prompt("One?")
            await runtime.assistant.prompt("Two?")
    first, *_, last = [m for m in model.requests[-1].messages if m["role"] == "user"]
    assert "Use tabs." in str(first["content"])
    assert last["content"] == "Two?"


async def test_memory_of_an_inner_folder_is_told_when_the_model_comes_there(
    harness: Harness,
) -> None:
    harness.file("CLAUDE.md", "Use tabs.")
    harness.file("inner/CLAUDE.md", "Use spaces.")
    harness.file("inner/deep/AGENTS.md", "Use nothing.")
    harness.file("inner/deep/a.txt", "old\n")
    read = calls_reply(scripted_call("Read", file_path="inner/deep/a.txt"))
    with ScriptedModel(read, read, text_reply("Two.")) as model:
        await harness.run_prompt(model, "Look.")
    first, again = (str(r.messages[-1]["content"]) for r in model.requests[1:])
    assert first.index("    1→old") < first.index("Use spaces.") < first.index("Use nothing.")
    assert "tabs" not in first
    assert "Use" not in again


async def test_a_change_of_the_users_is_told_once(harness: Harness) -> None:
    path = harness.file("a.txt", "one\ntwo\n")
    read = calls_reply(scripted_call("Read", file_path="a.txt"))
    with ScriptedModel(
        read, text_reply("Two lines."), text_reply("Seen."), text_reply("Yes.")
    ) as model:
        async with harness.open_session(model) as runtime:
            await runtime.assistant.prompt("Look.")
            path.write_text("one\n2\n")
            await runtime.assistant.prompt("And now?")
            await runtime.assistant.prompt("Sure?")
    said = [str(m["content"]) for m in model.requests[-1].messages if m["role"] == "user"]
    assert f"{path} was changed since you last saw it" in said[1]
    assert "    2→2" in said[1]
    assert said[2] == "Sure?"


async def test_the_models_own_changes_are_not_the_users(harness: Harness) -> None:
    harness.file("a.txt", "one\n")
    script = (
        calls_reply(scripted_call("Read", file_path="a.txt")),
        calls_reply(scripted_call("Edit", file_path="a.txt", old_string="one", new_string="two")),
        calls_reply(scripted_call("Bash", command="echo three >> a.txt")),
        text_reply("Changed."),
        text_reply("Yes."),
    )
    with ScriptedModel(*script) as model:
        async with harness.open_session(model, permission_mode="bypassPermissions") as runtime:
            await runtime.assistant.prompt("Change it.")
            await runtime.assistant.prompt("Sure?")
    assert (harness.project / "a.txt").read_text() == "two\nthree\n"
    assert model.requests[-1].messages[-1]["content"] == "Sure?"


async def test_a_command_that_ended_in_the_background_is_told_of_once(harness: Harness) -> None:
    shell = Shell((harness.project,), os.environ)
    builtin = BuiltinPrompts(
        harness.project, harness.claude_home, lambda: LATER, EndedJobTracker(shell)
    )
    waits = "until [ -e go ]; do sleep 0.1; done; exit 3"
    ended, stopped = await shell.start(waits), await shell.start("sleep 100")
    assert await builtin.read(f"{PROMPT_HOOK_URI}{{}}") == []
    await shell.stop(stopped)
    harness.file("go", "")
    assert ended.waiter
    await ended.waiter
    (told,) = await builtin.read(f"{PROMPT_HOOK_URI}{{}}")
    assert f"bash_1 in the background ({waits}) has ended with exit code 3" in told
    assert await builtin.read(f"{PROMPT_HOOK_URI}{{}}") == []


def test_a_file_that_is_gone_or_too_large_is_not_told_of(tmp_path: Path) -> None:
    seen, path = FileSnapshots(), tmp_path / "a"
    path.write_text("x")
    seen.record(path)
    path.unlink()
    assert seen.take_changes() == []
    path.write_text("y" * 300_000)
    assert seen.take_changes() == []

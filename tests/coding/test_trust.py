"""Trust: for one folder and the files that were seen, and nothing starts without it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from mini_agent.coding.approval import UserAnswer
from mini_agent.coding.permissions.policy import Ask
from mini_agent.coding.tools.protocols import Question
from mini_agent.coding.trust import TRUST_FILE, TrustStore, read_project_commands
from mini_agent.messages import JsonObject
from mini_agent.testing import ScriptedServer, call
from mini_agent.testing.script import Script
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness, run_command
from tests.coding.terminal_session import READY, open_terminal_to
from tests.coding.test_hooks import hook

CANARY = "touch started"
STARTS: JsonObject = hook("SessionStart", CANARY)


def started(harness: Harness) -> bool:
    """Start a session in the project; tell whether its hook or server ran."""
    with ScriptedModel(text_reply("Hello.")) as model:
        asyncio.run(harness.run_prompt(model, "Hi."))
    canary = harness.project / "started"
    ran = canary.exists()
    canary.unlink(missing_ok=True)
    return ran


def trust(harness: Harness) -> None:
    assert harness.launch(trust_project=True).is_trusted


class Always:
    """Answers every question with `always`."""

    async def ask_permission(self, asked: Ask) -> UserAnswer:
        del asked
        return UserAnswer("always")

    async def ask(self, questions: Sequence[Question]) -> Mapping[str, str]:
        del questions
        return {}

    async def approve_plan(self, plan: str) -> bool:
        del plan
        return False


def test_an_always_for_a_command_trusts_nothing(harness: Harness) -> None:
    harness.prompter = Always()
    touch = calls_reply(scripted_call("Bash", command="touch made"))
    with ScriptedModel(touch, text_reply("Made.")) as model:
        asyncio.run(harness.run_prompt(model, "Make it."))
    assert (harness.project / "made").exists()
    nested = Harness(harness.project / "cloned", harness.home)
    for folder in (harness, nested):
        folder.file(".claude/settings.json", json.dumps(STARTS))
    assert not started(harness)
    os.chdir(nested.project)
    assert not started(nested)


def test_an_always_holds_in_the_next_session_without_trust(harness: Harness) -> None:
    harness.prompter = Always()
    touch = calls_reply(scripted_call("Bash", command="touch made"))
    for prompter in (Always(), None):
        harness.prompter = prompter
        with ScriptedModel(touch, text_reply("Made.")) as model:
            asyncio.run(harness.run_prompt(model, "Make it."))
        (harness.project / "made").unlink()
    assert not any("trusted" in line for line in harness.observer.warnings)


def test_an_allow_rule_that_a_stranger_wrote_allows_nothing(harness: Harness) -> None:
    rules = {"permissions": {"allow": ["Bash"], "defaultMode": "acceptEdits"}}
    harness.file(".claude/settings.local.json", json.dumps(rules))
    done = run_command(harness, [call("Bash", command="touch made"), "No."], "-p", "Make it.")
    assert not (harness.project / "made").exists()
    assert done.stderr.count("is not trusted yet (--trust)") == 1


def test_deny_and_ask_rules_of_a_stranger_hold(harness: Harness) -> None:
    rules = {"permissions": {"deny": ["Read(secret.txt)"], "ask": ["Bash(touch *)"]}}
    harness.file(".claude/settings.json", json.dumps(rules))
    harness.file("secret.txt", "the word is swordfish")
    script: Script = [
        call("Read", file_path="secret.txt"),
        call("Bash", command="touch made"),
        "No.",
    ]
    done = run_command(harness, script, "-p", "Go.", "--allowed-tools", "Bash(touch *)")
    assert "swordfish" not in str(done.requests)
    assert not (harness.project / "made").exists()


def change_hook(harness: Harness) -> None:
    harness.file(".claude/settings.json", json.dumps(hook("SessionStart", f"{CANARY} # changed")))


def add_server(harness: Harness) -> None:
    harness.file(".mcp.json", json.dumps({"mcpServers": {"x": {"command": "true"}}}))


def add_variable(harness: Harness) -> None:
    harness.file(".claude/settings.local.json", json.dumps({"env": {"GIT_EDITOR": "touch x"}}))


def add_status_line(harness: Harness) -> None:
    own = {"statusLine": {"type": "command", "command": CANARY}, "apiKeyHelper": CANARY}
    harness.file(".claude/settings.json", json.dumps({**STARTS, **own}))


def add_command_line(harness: Harness) -> None:
    harness.file(".claude/commands/git/go.md", f"Now: !`{CANARY}`")


def add_agent(harness: Harness) -> None:
    harness.file(".claude/agents/a.md", "---\nname: a\npermissionMode: acceptEdits\n---\nGo.")


def change_script(harness: Harness) -> None:
    harness.file(".claude/hooks/check.sh", CANARY)


def break_file(harness: Harness) -> None:
    path = harness.project / ".mcp.json"
    path.write_text("{")


CHANGES = (change_hook, add_server, add_variable, add_status_line, add_command_line, add_agent)


@pytest.mark.parametrize("change", [*CHANGES, change_script, break_file])
def test_what_starts_commands_and_has_changed_is_asked_for_again(
    harness: Harness, change: Callable[[Harness], None]
) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    trust(harness)
    assert started(harness)
    change(harness)
    assert not started(harness)
    assert any("not trusted any more" in line for line in harness.observer.warnings)
    trust(harness)
    assert started(harness)


def test_what_starts_nothing_may_change(harness: Harness) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    trust(harness)
    harness.file("CLAUDE.md", "Use tabs.")
    harness.file(".claude/commands/greet.md", "Greet $1!")
    harness.file(".claude/agents/a.md", "---\nname: a\n---\nGo.")
    text = json.dumps(STARTS, indent=8)
    harness.file(".claude/settings.json", text)
    assert started(harness)


def nested_repository(project: Path) -> Path:
    subprocess.run(["git", "init", "-q", "inner"], cwd=project, check=True)
    return project / "inner"


def inner_folder(project: Path) -> Path:
    return project / "deep" / "inner"


def beside(project: Path) -> Path:
    return project.with_name("project-2")


def linked(project: Path) -> Path:
    real = project.with_name("real")
    real.mkdir()
    (project / "link").symlink_to(real)
    return project / "link"


def moved(project: Path) -> Path:
    project.rename(project.with_name("moved"))
    return project.with_name("moved")


def worktree(project: Path) -> Path:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@b")
    subprocess.run(["git", "init", "-q"], cwd=project, check=True)
    subprocess.run([*git, "commit", "-qm", "x", "--allow-empty"], cwd=project, check=True)
    add = ["git", "worktree", "add", "-q", "../tree"]
    subprocess.run(add, cwd=project, check=True, capture_output=True)
    return project.with_name("tree")


FOLDERS = (nested_repository, inner_folder, beside, linked, moved, worktree)


@pytest.mark.parametrize("find", FOLDERS)
def test_trust_is_for_one_folder(harness: Harness, find: Callable[[Path], Path]) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    trust(harness)
    other = Harness(find(harness.project), harness.home)
    other.file(".claude/settings.json", json.dumps(STARTS))
    os.chdir(other.project)
    assert not started(other)


def test_a_link_to_a_trusted_folder_is_that_folder(harness: Harness) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    trust(harness)
    link = harness.project.with_name("link")
    link.symlink_to(harness.project)
    os.chdir(link)
    assert started(Harness(link, harness.home))


@pytest.mark.parametrize("record", ["/", "..", "."])
def test_an_older_record_of_folders_trusts_nothing(harness: Harness, record: str) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    harness.claude_home.mkdir()
    store = harness.claude_home / TRUST_FILE
    store.write_text(json.dumps([str((harness.project / record).resolve())]))
    assert not started(harness)
    trust(harness)
    assert started(harness)
    assert list(json.loads(store.read_text())["roots"]) == [str(harness.project)]


def test_a_server_that_comes_after_the_start_is_not_started(harness: Harness) -> None:
    harness.file(".claude/settings.json", json.dumps({"model": "openai/scripted"}))
    launch = harness.launch(trust_project=True)
    assert launch.is_trusted
    add_server(harness)
    assert not launch.is_still_trusted()


def test_a_pipe_in_the_place_of_a_file_does_not_hold_up_the_start(harness: Harness) -> None:
    (harness.project / ".claude" / "agents").mkdir(parents=True)
    os.mkfifo(harness.project / ".mcp.json")
    os.mkfifo(harness.project / ".claude" / "settings.json")
    os.mkfifo(harness.project / ".claude" / "agents" / "a.md")
    done = run_command(harness, ["Hello."], "-p", "Hi.")
    assert (done.code, done.stdout) == (0, "Hello.\n")
    assert "not a regular file" in done.stderr


def test_the_users_own_settings_are_no_projects(harness: Harness) -> None:
    harness.settings(STARTS)
    os.chdir(harness.home)
    assert read_project_commands(harness.claude_home, harness.home).files == ()
    at_home = Harness(harness.home, harness.home)
    assert started(at_home)
    assert at_home.observer.warnings == []


def test_rules_are_kept_beside_trust(harness: Harness) -> None:
    store = TrustStore(harness.claude_home)
    store.add_rule(harness.project, "Edit")
    store.add_rule(harness.project, "Edit")
    assert store.rules(harness.project) == ("Edit",)
    assert not store.was_trusted(harness.project)


def test_an_always_is_not_written_through_a_link_out_of_the_project(harness: Harness) -> None:
    path = harness.settings({})
    (harness.project / ".claude").mkdir()
    (harness.project / ".claude" / "settings.local.json").symlink_to(path)
    harness.prompter = Always()
    touch = calls_reply(scripted_call("Bash", command="touch made"))
    with ScriptedModel(touch, text_reply("Made.")) as model:
        asyncio.run(harness.run_prompt(model, "Make it."))
    assert json.loads(path.read_text()) == {}
    assert any("leads out of the project" in line for line in harness.observer.warnings)


def test_at_a_terminal_trust_is_a_question_of_its_own(harness: Harness) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    with ScriptedServer(["Hello."]) as server, open_terminal_to(harness, server) as terminal:
        shown = terminal.until("trust?")
        assert "Do you trust the files of this folder?" in shown
        assert f"SessionStart: {CANARY}" in shown
        terminal.says("")
        terminal.until_last(READY)
        terminal.says("Hi.")
        terminal.until("< Hello.")
    assert not (harness.project / "started").exists()
    with ScriptedServer(["Hello."]) as server, open_terminal_to(harness, server) as terminal:
        terminal.until("trust?")
        terminal.says("y")
        terminal.until_last(READY)
        terminal.says("Hi.")
        terminal.until("< Hello.")
    assert (harness.project / "started").exists()
    assert harness.launch().is_trusted


def test_a_line_of_a_pipe_does_not_answer_for_trust(harness: Harness) -> None:
    harness.file(".claude/settings.json", json.dumps(STARTS))
    done = run_command(harness, ["Hello."], "--interactive", stdin="y\n")
    assert "< Hello." in done.stdout
    assert not (harness.project / "started").exists()


@pytest.mark.parametrize(
    "key",
    [
        "allowed-tools: Bash(touch *)",
        '"allowed-tools": Bash(touch *)',
        "'allowed-tools' : Bash(touch *)",
        '"allowed\\u002dtools": Bash(touch *)',
        "{allowed-tools: Bash(touch *)}",
        "? allowed-tools\n: Bash(touch *)",
        "'hooks': {}",
    ],
)
def test_a_document_that_asks_for_rights_is_seen_however_its_key_is_written(
    harness: Harness, key: str
) -> None:
    harness.file(".claude/settings.json", '{"model": "m"}')
    before = read_project_commands(harness.claude_home, harness.project).digest
    harness.file(".claude/commands/go.md", f"---\n{key}\n---\nGo.\n")
    assert read_project_commands(harness.claude_home, harness.project).digest != before

"""`--sandbox` at the start: what switches it on, and that nothing runs here without it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mini_agent.coding.doctor_checks import run_checks
from mini_agent.coding.terminal.commands import SlashCommands
from mini_agent.errors import NotConfigured, Unauthorized
from mini_agent.messages import JsonObject
from mini_agent.testing import call
from mini_agent.testing.script import Script
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import Harness, ProcessResult, run_command
from tests.coding.sandbox.projects import NO, Answering, run_calls, run_commands
from tests.coding.tools.test_mcp import connect, read_text
from tests.docker.sidecar_process import TOKEN, Sidecar, sidecar

ON: JsonObject = {"sandbox": {"enabled": True}}


def run_sandboxed(
    harness: Harness, script: Script, *arguments: str, **variables: str
) -> ProcessResult:
    tree = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return run_command(harness, script, "-p", "Work.", *arguments, **tree, **variables)


@pytest.mark.parametrize("arguments", [["--sandbox"], []])
def test_without_a_sidecar_it_ends_at_once_and_says_what_to_run(
    harness: Harness, arguments: list[str]
) -> None:
    harness.settings({} if arguments else ON)
    allowed = ("--permission-mode", "bypassPermissions")
    ended = run_sandboxed(harness, [], *arguments, *allowed)
    assert ended.code == 1
    assert "Bash is to run in the sandbox, and no sidecar is named" in ended.stderr
    assert "docker compose -f compose.exec.yml up" in ended.stderr
    assert ended.requests == []
    assert not (harness.project / "canary").exists()


def test_a_sidecar_that_is_away_ends_it_too(harness: Harness) -> None:
    ended = run_sandboxed(harness, [], "--sandbox", MINI_AGENT_SIDECAR_URL="http://127.0.0.1:9")
    assert ended.code == 1
    assert "the sidecar at http://127.0.0.1:9 does not answer" in ended.stderr
    assert not (harness.project / "canary").exists()


def test_headless_runs_it_there_and_names_the_patch(boxed: Harness, real: Sidecar) -> None:
    ended = run_sandboxed(
        boxed,
        [call("Bash", command="touch canary"), "Done."],
        "--sandbox",
        MINI_AGENT_SIDECAR_URL=real.url,
        MINI_AGENT_SIDECAR_TOKEN=TOKEN,
    )
    assert (ended.code, ended.stdout) == (0, "Done.\n")
    assert not (boxed.project / "canary").exists()
    said = re.search(r"`git apply (\S+)` applies it", ended.stderr)
    assert said is not None
    assert "canary" in Path(said[1]).read_text()


async def test_a_wrong_token_ends_it(boxed: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", "wrong")
    with ScriptedModel() as model, pytest.raises(Unauthorized):
        await boxed.run_prompt(model, "Hi.", sandbox=True)


async def test_a_sandbox_that_goes_away_makes_calls_fail(
    boxed: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_bash = calls_reply(scripted_call("Bash", command="touch canary"))
    with ScriptedModel(call_bash, text_reply("gone")) as model, sidecar(tmp_path) as own:
        monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", own.url)
        async with boxed.open_session(
            model, sandbox=True, permission_mode="bypassPermissions"
        ) as runtime:
            own.process.terminate()
            await own.ended()
            outcome = await runtime.assistant.prompt("Work.")
    assert outcome.answer == "gone"
    assert "not run" in str(model.requests[1].messages[-1]["content"])
    assert not (boxed.project / "canary").exists()


async def test_the_setting_switches_it_on_and_the_option_off(boxed: Harness) -> None:
    boxed.settings(ON)
    assert boxed.launch().sandbox.enabled
    assert not boxed.launch(sandbox=False).sandbox.enabled
    assert not boxed.launch(mcp=("other",)).sandbox.enabled
    said = await run_commands(boxed, "pwd", sandbox=None)
    assert said == ["/workspace/project"]


def test_a_file_of_the_project_cannot_switch_it_off(harness: Harness) -> None:
    harness.settings(ON)
    harness.file(".claude/settings.json", '{"sandbox": {"enabled": false}}')
    assert harness.launch(trust_project=True).sandbox.enabled


async def test_a_rule_or_a_setting_can_still_have_commands_asked_about(boxed: Harness) -> None:
    boxed.settings({"sandbox": {"autoAllowBashIfSandboxed": False}})
    user = boxed.prompter = Answering([NO])
    (said,) = await run_commands(boxed, "make something")
    assert "does not want" in said
    assert user.asked[0].question == "Run this command? make something"


async def test_other_tools_keep_their_rules(boxed: Harness) -> None:
    (said,) = await run_calls(
        boxed,
        calls_reply(scripted_call("Write", file_path=str(boxed.project / "x"), content="x")),
    )
    assert "permission" in said
    assert not (boxed.project / "x").exists()


async def test_the_model_is_told_and_so_is_the_user(boxed: Harness) -> None:
    shown: list[str] = []
    with ScriptedModel(text_reply("Hi.")) as model:
        async with boxed.open_session(model, sandbox=True) as runtime:
            await runtime.assistant.prompt("Hi.")
            await SlashCommands(runtime, shown.append).execute("/sandbox")
    assert "Bash runs in a sandbox" in str(model.requests[0].messages[0])
    assert "no network, 1024 MB of files" in shown[0]
    assert "no change waits to be applied" in shown[0]


def test_doctor_says_where_commands_run(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINI_AGENT_SIDECAR_URL", raising=False)
    (plain,) = (each for each in run_checks(harness.launch()) if each.name == "Bash")
    (boxed,) = (each for each in run_checks(harness.launch(sandbox=True)) if each.name == "Bash")
    assert (plain.is_ok, boxed.is_ok) == (True, False)
    assert "--no-sandbox" in boxed.fix


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"workspaceMb": 5}, "sandbox.workspaceMb"),
        ({"memoryMb": "much"}, "sandbox.memoryMb"),
        ({"enabled": "perhaps"}, "sandbox.enabled"),
    ],
)
def test_a_wrong_setting_is_named(harness: Harness, value: JsonObject, said: str) -> None:
    harness.settings({"sandbox": value})
    with pytest.raises(NotConfigured, match=re.escape(said)):
        harness.launch()


async def test_more_than_the_sandbox_holds_is_said_with_the_setting(boxed: Harness) -> None:
    boxed.settings({"sandbox": {"workspaceMb": 16}})
    with (boxed.project / "large.bin").open("wb") as large:
        large.truncate(20 << 20)
    (said,) = await run_commands(boxed, "ls")
    assert "files have 20 MB" in said
    assert '"sandbox": {"workspaceMb": N}' in said


async def test_mcp_clients_have_bash_in_the_sandbox_where_settings_say_so(
    boxed: Harness, real: Sidecar
) -> None:
    boxed.settings(ON)
    variables = {"MINI_AGENT_SIDECAR_URL": real.url, "MINI_AGENT_SIDECAR_TOKEN": TOKEN}
    tree = {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    async with connect(boxed.project, **variables, **tree) as client:
        ran = await client.call_tool("Bash", {"command": "pwd; echo x >x.txt"})
    assert read_text(ran).startswith("/workspace/project")
    assert (boxed.project / "x.txt").exists()

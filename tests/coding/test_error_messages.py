"""What goes wrong is one line that says what to do, and nothing is lost."""

from __future__ import annotations

import shutil
import signal
import subprocess

import pytest

from mini_agent.messages import JsonObject
from mini_agent.testing import ScriptedServer, server_error
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from tests.coding.harness import (
    PROGRAM,
    Harness,
    build_environment,
    run_command,
    run_shell,
)


def test_a_model_that_fails_is_exit_code_1_and_one_line(harness: Harness) -> None:
    done = run_command(harness, [server_error(), server_error()], "-p", "Hi.")
    assert (done.code, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_after_a_failure_the_session_goes_on(harness: Harness) -> None:
    run_command(harness, [server_error(), server_error()], "-p", "Hi.")
    done = run_command(harness, ["Hello."], "--continue")
    assert (done.code, done.stdout) == (0, "Hello.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "there is nothing to do"),
        (("-p", "x", "--resume", "11111111-2222-4333-8444-555555555556"), "there is no session"),
        (("-p", "x", "--continue"), "there is no session to continue"),
        (("-p", "x", "--resume", "a", "--continue"), "name a session each"),
        (("-p", '[{"type": "movie"}]'), "has the type 'movie'"),
        (("-p", "x", "--add-dir", "nowhere"), "there is no such folder"),
        (("-p", "x", "--allowed-tools", "Bash("), "is no rule"),
        (("-p", "x", "--mcp", "'"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    harness: Harness, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run_command(harness, [], *arguments)
    assert (done.code, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_prompt_in_the_place_of_a_command_is_told_where_it_goes(harness: Harness) -> None:
    done = run_command(harness, [], "explain this")
    assert (done.code, done.stdout) == (2, "")
    assert 'a prompt goes behind -p: mini-agent -p "..."' in done.stderr


def test_without_a_model_the_error_says_how_to_name_one(harness: Harness) -> None:
    done = run_command(harness, [], "-p", "x", LITELLM_DEFAULT_CODE_MODEL="", OPENAI_API_KEY="")
    assert done.code == 1
    assert "no model is named" in done.stderr
    assert "--model" in done.stderr


def test_a_missing_key_is_named(harness: Harness) -> None:
    done = run_command(harness, [], "-p", "x", OPENAI_API_KEY="")
    assert done.code == 1
    assert "OPENAI_API_KEY" in done.stderr


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{\n  nonsense\n}", "line 2: Expecting property name"),
        ('[{"permissions": {}}]', "line 1: it must be one JSON object, and it holds permissions"),
        ('"permissions"', "line 1: it must be one JSON object, and it holds permissions"),
        ('{"permissions": []}', "line 1: permissions: "),
        ('{"permissions": {"deny": null}}', "line 1: permissions.deny: "),
        ('{"permissions": {"allow":\n["Bash("]}}', "line 2: permissions.allow.0: "),
    ],
)
def test_broken_settings_are_named_with_file_line_and_key(
    harness: Harness, written: str, said: str
) -> None:
    path = harness.settings({})
    path.write_text(written)
    done = run_command(harness, [], "-p", "x")
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"mini-agent: {path}, {said}")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("null", "line 1: it must be one JSON object"),
        ("5", "line 1: it must be one JSON object"),
        ("[]", "line 1: it must be one JSON object"),
        ('"x"', "line 1: it must be one JSON object"),
        ('{"permissions": null}', "line 1: permissions: it is null, and left out"),
        ('{"hooks":\nnull}', "line 2: hooks: it is null, and left out"),
        ('{"hooks": 5}', "line 1: hooks: "),
        ('{"model": 5}', "line 1: model: Input should be a valid string"),
        ('{"env": []}', "line 1: env: Input should be a valid dictionary"),
        ('{"disableAllHooks": "maybe"}', "line 1: disableAllHooks: Input should be"),
        ('{"env":\n{"A": "1",\n"B": 2}}', "line 3: env.B: Input should be a valid string"),
        (
            '{"hooks": {"Stop": [{"hooks": [\n{"type": "command",\n"command": ""}]}]}}',
            "line 3: hooks.Stop.0.hooks.0.command: String should have at least 1 character",
        ),
        (
            '{"hooks": {"Stop": [],\n"PostToolUse": [{"matcher": "[", "hooks": []}]}}',
            "line 2: hooks.PostToolUse.0.matcher: '[' is no regular expression",
        ),
    ],
)
async def test_settings_that_allow_no_more_without_it_are_a_line(
    harness: Harness, written: str, said: str
) -> None:
    path = harness.settings({})
    path.write_text(written)
    with ScriptedModel(text_reply("Hello.")) as model:
        assert (await harness.run_prompt(model, "Hi.")).answer == "Hello."
    (line,) = harness.observer.warnings
    assert line.startswith(f"{path}, {said}")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
async def test_settings_in_any_encoding_hold(harness: Harness, encoding: str) -> None:
    path = harness.settings({})
    path.write_text('{"permissions": {"deny": ["Bash"]}}', encoding)
    script = (calls_reply(scripted_call("Bash", command="touch made")), text_reply("No."))
    with ScriptedModel(*script) as model:
        await harness.run_prompt(model, "Make it.", permission_mode="bypassPermissions")
    assert not (harness.project / "made").exists()
    assert harness.observer.warnings == []


@pytest.mark.parametrize("written", ["", "  \n", "null", "5", "[]", "{", "\ufeff{}", '{"x": 1}'])
async def test_a_broken_mcp_file_is_a_line_at_most(harness: Harness, written: str) -> None:
    harness.file(".mcp.json", written)
    with ScriptedModel(text_reply("Hello.")) as model:
        outcome = await harness.run_prompt(model, "Hi.", trust_project=True)
    assert outcome.answer == "Hello."
    assert len(harness.observer.warnings) <= 1


def test_broken_rules_are_named_before_the_prompt(harness: Harness) -> None:
    harness.settings({"permissions": {"allow": ["Bash("]}})
    done = run_command(harness, [], "--interactive", stdin="Hi.\n")
    assert (done.code, done.stdout) == (1, "")
    assert "permissions.allow.0: 'Bash(' is no rule" in done.stderr


def test_settings_that_break_in_the_middle_end_no_sitting(harness: Harness) -> None:
    breaks: JsonObject = {"type": "command", "command": 'echo "{" > "$HOME/.claude/settings.json"'}
    harness.settings({"hooks": {"SessionEnd": [{"hooks": [breaks]}]}})
    said = "One?\n/clear\nTwo?\n"
    done = run_command(harness, ["One.", "Two."], "--interactive", stdin=said)
    assert (done.code, done.stderr) == (0, "")
    assert "settings.json, line" in done.stdout
    assert "what was read before still holds" in done.stdout
    assert "< Two." in done.stdout


def test_a_server_that_fails_is_told_of_and_the_rest_goes_on(harness: Harness) -> None:
    done = run_command(harness, ["Hello."], "-p", "Hi.", "--mcp", "builtin", "--mcp", "no-such-x")
    assert (done.code, done.stdout) == (0, "Hello.\n")
    assert "no-such-x" in done.stderr


def test_no_server_at_all_is_a_failure(harness: Harness) -> None:
    done = run_command(harness, [], "-p", "Hi.", "--mcp", "no-such-x")
    assert (done.code, done.stdout) == (1, "")
    assert "no server of --mcp has started: no-such-x" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_gone_is_said_to_be(harness: Harness) -> None:
    with ScriptedServer() as server:
        ended = run_shell(
            harness, f"mkdir gone && cd gone && rmdir ../gone && {PROGRAM} -p x", server
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "the current folder is gone" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_folder_that_goes_away_in_the_middle_is_told_to_the_model(harness: Harness) -> None:
    own: JsonObject = {"type": "command", "command": "true"}
    harness.settings({"hooks": {"PreToolUse": [{"hooks": [own]}]}})
    asked = (
        scripted_call("Bash", command="pwd"),
        scripted_call("Read", file_path="a.txt"),
        scripted_call("Write", file_path="a.txt", content="x"),
        scripted_call("Grep", pattern="x"),
        scripted_call("Glob", pattern="*"),
        scripted_call("LS", path="."),
    )
    with ScriptedModel(text_reply("One."), calls_reply(*asked), text_reply("It is gone.")) as model:
        async with harness.open_session(model, permission_mode="bypassPermissions") as runtime:
            await runtime.assistant.prompt("One?")
            shutil.rmtree(harness.project)
            outcome = await runtime.assistant.prompt("Two?")
    assert outcome.answer == "It is gone."
    assert "is gone" in str(model.requests[-1].messages[-len(asked)]["content"])


def test_what_does_not_fit_on_the_disk_is_told_and_nothing_is_lost(harness: Harness) -> None:
    harness.claude_home.mkdir()
    lines = (
        f"mount -t tmpfs -o size=64k tmpfs {harness.claude_home} && cd {harness.claude_home}",
        "head -c 40k /dev/zero > filler && cd - >/dev/null",
        f"{PROGRAM} -p 'One?'; echo ended with $?",
        f"rm {harness.claude_home}/filler",
        f"{PROGRAM} --continue; echo ended with $?",
    )
    with ScriptedServer(["One. " * 6000, "One."]) as server:
        ended = run_shell(
            harness, "unshare -rm bash -c '" + "\n".join(lines).replace("'", '"') + "'", server
        )
    if "unshare" in ended.stderr or "mount" in ended.stderr:
        pytest.skip(f"nothing can be mounted here: {ended.stderr}")
    assert ended.stdout == "ended with 1\nOne.\nended with 0\n"
    assert "cannot be written: No space left on device" in ended.stderr
    assert "make room" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert [m["content"] for m in server.requests[1].messages][-1] == server.requests[0].messages[
        -1
    ]["content"]


def test_without_a_terminal_it_is_plain_lines(harness: Harness) -> None:
    done = run_command(harness, ["Hello."], "--interactive", stdin="Hi.\n/cost\n", TERM="dumb")
    assert (done.code, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "\n< Hello.\n[20 input tokens, 10 response tokens]\n> 20 input tokens" in done.stdout


def test_without_anything_on_standard_input_it_says_how_to_be_called(harness: Harness) -> None:
    with ScriptedServer() as server:
        ended = run_shell(harness, f"{PROGRAM} <&-", server)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "there is nothing to do" in ended.stderr
    assert "-p" in ended.stderr


def test_standard_input_that_says_nothing_is_left_out_with_a_word(harness: Harness) -> None:
    with ScriptedServer(["Hello."]) as server:
        silent = "exec 3< <(exec sleep 100 2>/dev/null); silent=$!"
        line = f"{silent}; {PROGRAM} -p Hi. <&3; code=$?; kill $silent; exit $code"
        ended = run_shell(harness, line, server)
    assert (ended.returncode, ended.stdout) == (0, "Hello.\n")
    assert "nothing came on standard input within 3 s" in ended.stderr


def test_who_waits_for_a_line_can_be_ended(harness: Harness) -> None:
    with subprocess.Popen(
        [PROGRAM, "--interactive"],
        cwd=harness.project,
        env=build_environment(harness, "http://127.0.0.1:9"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"/cost\n")
        shown = b""
        while not shown.endswith(b"is not known\n> "):
            shown += process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130

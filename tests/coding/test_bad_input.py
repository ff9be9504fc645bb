"""What goes wrong is one line that says what to do, and nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mini_agent.testing import server_error
from tests.coding.desk import Desk, command_line, environment
from tests.coding.lines import answered, said, text


def test_a_model_that_fails_is_exit_code_1_and_one_line(desk: Desk) -> None:
    done = command_line(desk, [server_error(), server_error()], "-p", "Hi.")
    assert (done.code, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_after_a_failure_the_session_goes_on(desk: Desk) -> None:
    command_line(desk, [server_error(), server_error()], "-p", "Hi.")
    done = command_line(desk, ["Hello."], "--continue")
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
    desk: Desk, arguments: tuple[str, ...], sentence: str
) -> None:
    done = command_line(desk, [], *arguments)
    assert (done.code, done.stdout) == (1, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_model_the_error_says_how_to_name_one(desk: Desk) -> None:
    done = command_line(desk, [], "-p", "x", LITELLM_DEFAULT_CODE_MODEL="", OPENAI_API_KEY="")
    assert done.code == 1
    assert "no model is named" in done.stderr
    assert "--model" in done.stderr


def test_a_missing_key_is_named(desk: Desk) -> None:
    done = command_line(desk, [], "-p", "x", OPENAI_API_KEY="")
    assert done.code == 1
    assert "OPENAI_API_KEY" in done.stderr


def test_broken_settings_are_named_with_file_and_line(desk: Desk) -> None:
    path = desk.settings({"hooks": {"Stop": [{"hooks": [{"type": "command", "command": ""}]}]}})
    done = command_line(desk, [], "-p", "x")
    assert done.code == 1
    assert f"{path}, line " in done.stderr
    path.write_text("{\n  nonsense\n}")
    assert f"{path}, line 2" in command_line(desk, [], "-p", "x").stderr


def test_a_server_that_fails_is_told_of_and_the_rest_goes_on(desk: Desk) -> None:
    done = command_line(desk, ["Hello."], "-p", "Hi.", "--mcp", "builtin", "--mcp", "no-such-x")
    assert (done.code, done.stdout) == (0, "Hello.\n")
    assert "no-such-x" in done.stderr


def test_a_folder_that_is_gone_is_said_to_be(desk: Desk) -> None:
    program = str(Path(sys.executable).with_name("mini-agent"))
    line = f"mkdir gone && cd gone && rmdir ../gone && {program} -p x </dev/null"
    ended = subprocess.run(
        ["bash", "-c", line],
        cwd=desk.project,
        env=environment(desk, "http://127.0.0.1:9"),
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert ended.returncode == 1
    assert "the current folder is gone" in ended.stderr


def test_what_does_not_fit_on_the_disk_is_told_and_what_is_there_stays_whole(desk: Desk) -> None:
    transcript = desk.transcript(said("u1", None, "One?" * 200), answered("a1", "u1", text("One.")))
    before = transcript.read_bytes()
    program = str(Path(sys.executable).with_name("mini-agent"))
    ended = subprocess.run(
        ["bash", "-c", f"ulimit -f 2; {program} -p '{'Two? ' * 500}' --continue </dev/null"],
        cwd=desk.project,
        env=environment(desk, "http://127.0.0.1:9") | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert ended.returncode == 1
    assert "cannot be written: File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert transcript.read_bytes() == before

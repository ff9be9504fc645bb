"""Commands that would wait for a user: they end at once, or soon, and say why."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from mini_agent.coding.tools.non_interactive import find_prompt
from mini_agent.coding.tools.shell import Shell
from tests.coding.tools.conftest import ToolFixture

REPOSITORY = "git init -q . && git config user.email a@b && git config user.name n"
COMMIT = f"{REPOSITORY} && echo a >a && git add a && git commit -qm one"
# Vim and less would wait, as a user's own settings have them.
SETTINGS = {
    "EDITOR": "sleep 60",
    "VISUAL": "sleep 60",
    "GIT_EDITOR": "sleep 60",
    "PAGER": "sleep 60",
}


@pytest.fixture
def user(tools: ToolFixture) -> ToolFixture:
    """Return the tools in the environment of a user who has set an editor and a pager."""
    environment = {**os.environ, **SETTINGS}
    shell = Shell((tools.folder,), environment)
    return ToolFixture(replace(tools.context, environment=environment, shell=shell))


@pytest.mark.parametrize(
    "command",
    [
        f"{REPOSITORY} && echo a >a && git add a && git commit",
        f"{COMMIT} && git commit --amend",
        f"{COMMIT} && git rebase -i --root",
        f"{COMMIT} && git tag -a one",
        f"{COMMIT} && git config core.editor 'sleep 60' && git commit --amend",
        "$EDITOR notes.txt",
        'eval "$VISUAL" notes.txt',
    ],
)
async def test_where_an_editor_would_open_it_is_said_what_to_do(
    user: ToolFixture, command: str
) -> None:
    began = time.monotonic()
    told = await user.error("Bash", command=command.replace("$EDITOR", 'eval "$EDITOR"'))
    assert "no editor can be opened here: give the text on the command line" in told
    assert time.monotonic() - began < 30


async def test_an_editor_that_the_command_names_is_used(user: ToolFixture) -> None:
    await user.text("Bash", command=f"{COMMIT} && GIT_EDITOR=true git commit --amend")


async def test_pagers_print_all_and_end(user: ToolFixture) -> None:
    shown = "git log --oneline; git -c core.pager='sleep 60' diff HEAD; git --paginate branch"
    told = await user.text("Bash", command=f"{COMMIT} && {shown}; $PAGER a", timeout=30_000)
    assert " one\n" in told


async def test_git_asks_nobody_for_a_password(user: ToolFixture) -> None:
    asks = "printf 'protocol=https\\nhost=example.org\\n\\n' | git credential fill"
    told = await user.error("Bash", command=asks, timeout=30_000)
    assert "could not read Username" in told


@pytest.mark.parametrize(
    "command",
    [
        "printf 'Password: '; sleep 100",
        "echo before; printf 'Continue? [y/N] ' >&2; sleep 100",
        "script -qc 'read -p \"Username for https://x: \" name </dev/tty' /dev/null <&9 9<&-",
    ],
)
async def test_a_question_that_waits_is_said_long_before_the_time_is_over(
    tools: ToolFixture, command: str
) -> None:
    began = time.monotonic()
    # A pipe without an end, as a standard input that gives nothing.
    told = await tools.error("Bash", command=f"exec 9< <(sleep 100)\n{command}")
    assert time.monotonic() - began < 60
    assert told.startswith("Command was stopped: it waits for input\n")
    assert "the command waits for input at " in told
    assert "Answer on the command line" in told


async def test_a_question_without_end_is_said_too(tools: ToolFixture) -> None:
    began = time.monotonic()
    asks = "while true; do echo 'Overwrite a.txt? [y/N]'; read answer || echo 'say y or n'; done"
    told = await tools.error("Bash", command=asks)
    assert time.monotonic() - began < 60
    assert "the command waits for input at 'Overwrite a.txt? [y/N]'" in told


async def test_an_editor_without_a_terminal_is_said(tools: ToolFixture) -> None:
    warns = "echo 'Vim: Warning: Output is not to a terminal' >&2; printf '\\033[2J~'; sleep 100"
    told = await tools.error("Bash", command=warns)
    assert "the command waits for input at 'Vim: Warning: Output is not to a terminal'" in told


async def test_a_question_that_goes_on_by_itself_is_left_alone(tools: ToolFixture) -> None:
    told = await tools.text("Bash", command="printf 'Continue? [y/N] '; sleep 2; echo yes")
    assert told == "Continue? [y/N] yes"


async def test_a_question_in_the_background_is_said(tools: ToolFixture) -> None:
    command = "printf 'Overwrite? (y/n) '; sleep 100"
    await tools.text("Bash", command=command, run_in_background=True)
    job = tools.context.shell.jobs["bash_1"]
    await tools.text("Bash", command="sleep 7")
    assert job.group.find_prompt() == "Overwrite? (y/n)"
    told = await tools.text("BashOutput", bash_id="bash_1")
    assert "the command waits for input at 'Overwrite? (y/n)'" in told


@pytest.mark.parametrize(
    "line",
    [
        "Password: ",
        "[sudo] password for bob: ",
        "Username for 'https://github.com': ",
        "Enter passphrase for key '/home/x/.ssh/id_ed25519': ",
        "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
        "Do you want to continue? [Y/n] ",
        "Ok to proceed? (y) ",
        "Proceed ([y]/n)? ",
        "package name: (foo) ",
        "Press any key to continue . . .",
        "? Project name: \u203a ",
        "Select an option > ",
        "--More--",
        "(END)",
    ],
)
def test_a_line_that_asks_is_known(line: str) -> None:
    assert find_prompt(f"{'before ' * 100}{line}" if line.startswith("Do") else line)


@pytest.mark.parametrize(
    "line",
    [
        *("", "$ ", "compiling... ", "Downloading 40%", "tests/a.py ....", "Checking token: ok"),
        *("Verifying password: ", "Building wheel (pyproject.toml) ...", "login: 5 of 10 done"),
    ],
)
def test_a_line_that_reports_is_none(line: str) -> None:
    assert not find_prompt(line)

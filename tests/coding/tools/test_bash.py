"""The shell: its working folder, its output, and how commands end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import pytest

from mini_agent.coding.tools.catalog import coding_tools
from mini_agent.messages import function_call
from mini_agent_protocol.execution import Output
from tests.coding.tools.conftest import ToolFixture


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def wait_for_end(process: int) -> None:
    """Wait, for a limited time, until the process has ended."""
    for _ in range(400):
        if not is_alive(process):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"process {process} is still there")


async def read_pid(path: Path) -> int:
    """Return the process id that a command writes to the file."""
    return await asyncio.to_thread(_read_number, path)


def _read_number(path: Path) -> int:
    for _ in range(1500):
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"nothing was written to {path}")


def ignore_sigterm(note: Path) -> str:
    """Return a command that ignores SIGTERM."""
    return f"(trap '' TERM; echo $BASHPID >{note}; while :; do sleep 9; done)"


async def test_a_command_starts_where_the_last_one_ended(tools: ToolFixture) -> None:
    await tools.text("Bash", command="mkdir -p 'a b'/c && cd 'a b' && cd c")
    assert await tools.text("Bash", command="pwd") == f"{tools.folder}/a b/c"
    await tools.error("Bash", command="cd ..; exit 3")
    assert await tools.text("Bash", command="pwd") == f"{tools.folder}/a b"


async def test_it_stays_in_the_project(tools: ToolFixture) -> None:
    told = await tools.text("Bash", command="cd / && echo there")
    assert told.startswith("there\n")
    assert f"the shell is back in {tools.folder}" in told
    assert await tools.text("Bash", command="pwd") == str(tools.folder)


async def test_a_folder_that_is_gone_is_left_for_the_project(tools: ToolFixture) -> None:
    await tools.text("Bash", command="mkdir gone && cd gone")
    shutil.rmtree(tools.folder / "gone")
    assert await tools.text("Bash", command="pwd") == str(tools.folder)


async def test_a_project_that_is_gone_is_an_answer(tools: ToolFixture) -> None:
    shutil.rmtree(tools.folder)
    assert "is gone" in await tools.error("Bash", command="pwd")


async def test_without_room_for_temporary_files_commands_run_all_the_same(
    tools: ToolFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tools.folder / "missing"))
    told = await tools.text("Bash", command="echo here")
    assert told.startswith("here\n<system-reminder>the next command starts where this one did")


async def test_a_failure_comes_with_its_code_and_what_it_said(tools: ToolFixture) -> None:
    output = await tools.call("Bash", command="echo out; echo err >&2; exit 7")
    assert (output.ok, output.rc) == (False, 7)
    assert output.model_text == "Exit code 7\nerr\nout"
    assert "syntax error" in await tools.error("Bash", command="echo (")


async def test_fifty_megabytes_are_taken_and_the_middle_is_left_out(tools: ToolFixture) -> None:
    command = "echo first; head -c 50000000 /dev/zero | tr '\\0' x; echo; echo last"
    told = await tools.text("Bash", command=command)
    assert told.startswith("first\nxxx")
    assert told.endswith("xxx\nlast")
    assert "characters left out" in told
    assert len(told) < 31_000


async def test_output_without_end_ends_with_the_time(tools: ToolFixture) -> None:
    began = time.monotonic()
    output = await tools.call("Bash", command="yes", timeout=3000)
    assert time.monotonic() - began < 60
    assert output.status == "timeout"
    assert output.model_text.startswith("Command timed out after 3s\ny\ny\n")


async def test_a_child_that_ignores_sigterm_ends_as_well(tools: ToolFixture) -> None:
    note = tools.folder / "child"
    command = (
        f"trap '' TERM; (trap '' TERM; echo $BASHPID >{note}; while :; do sleep 9; done) & wait"
    )
    began = time.monotonic()
    output = await tools.call("Bash", command=command, timeout=3000)
    assert output.model_text == "Command timed out after 3s"
    assert time.monotonic() - began < 60
    assert not is_alive(await read_pid(note))


async def test_fifty_megabytes_and_a_child_that_ignores_sigterm_end_at_their_time(
    tools: ToolFixture,
) -> None:
    note = tools.folder / "child"
    floods = "while :; do head -c 1000000 /dev/zero | tr '\\0' x; done"
    command = (
        f"trap '' TERM; (trap '' TERM; echo $BASHPID >{note}; {floods}) & "
        "head -c 50000000 /dev/zero | tr '\\0' y >&2; echo all; wait"
    )
    began = time.monotonic()
    output = await tools.call("Bash", command=command, timeout=4000)
    assert time.monotonic() - began < 60
    assert output.model_text.startswith("Command timed out after 4s\nyyy")
    assert "characters left out" in output.model_text
    assert len(output.model_text) < 62_000
    assert not is_alive(await read_pid(note))


async def test_a_child_that_hears_sigterm_may_tidy_up(tools: ToolFixture) -> None:
    command = "sh -c 'trap \"echo tidy; exit\" TERM; sleep 60 & wait'"
    output = await tools.call("Bash", command=command, timeout=3000)
    assert output.model_text == "Command timed out after 3s\ntidy"


async def test_what_a_command_leaves_running_is_stopped_and_said(tools: ToolFixture) -> None:
    note = tools.folder / "left"
    told = await tools.text("Bash", command=f"sleep 60 & echo $! >{note}; echo done")
    assert told.startswith("done\n<system-reminder>what it left running was stopped")
    assert not is_alive(await read_pid(note))


async def test_one_who_leaves_the_group_does_not_hold_the_call(tools: ToolFixture) -> None:
    note = tools.folder / "left"
    began = time.monotonic()
    leaves = f"setsid sleep 60 & echo $! >{note}; echo done"
    assert "done" in await tools.text("Bash", command=leaves)
    assert time.monotonic() - began < 30
    with contextlib.suppress(ProcessLookupError):
        os.kill(await read_pid(note), signal.SIGKILL)


async def test_a_call_that_is_cancelled_kills_its_command(tools: ToolFixture) -> None:
    note = tools.folder / "it"
    call = asyncio.create_task(tools.call("Bash", command=f"echo $$ >{note}; sleep 60"))
    process = await read_pid(note)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not is_alive(process)


async def test_a_command_has_nothing_to_read(tools: ToolFixture) -> None:
    assert await tools.text("Bash", command="cat; echo end") == "end"
    assert await tools.text("Bash", command="true") == "(no output)"
    assert "NUL" in await tools.error("Bash", command="echo \0")


async def test_output_is_told_as_it_comes(tools: ToolFixture) -> None:
    heard: list[Output] = []

    def hear(piece: Output) -> None:
        heard.append(piece)
        tools.file("go", "")

    waits = "echo a; until [ -e go ]; do sleep 0.02; done; echo b >&2"
    call = function_call("c", "Bash", {"command": waits})
    await coding_tools(tools.context).stream_openai_tool(call, hear)
    assert [(piece.stream, piece.text) for piece in heard] == [("stdout", "a\n"), ("stderr", "b\n")]


async def test_in_the_background_its_output_comes_by_its_id(tools: ToolFixture) -> None:
    command = "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; exit 4"
    told = await tools.text("Bash", command=command, run_in_background=True)
    assert told.startswith("Command running in background with ID: bash_1\n")
    first = ""
    while "one" not in first:
        await asyncio.sleep(0.02)
        first = await tools.text("BashOutput", bash_id="bash_1")
    assert first == "<status>running</status>\n<stdout>\none\n</stdout>"
    tools.file("go", "")
    watching = tools.context.shell.jobs["bash_1"].waiter
    assert watching is not None
    await watching
    last = await tools.text("BashOutput", bash_id="bash_1")
    assert last == ("<status>failed</status>\n<exit_code>4</exit_code>\n<stdout>\ntwo\n</stdout>")
    assert await tools.text("BashOutput", bash_id="bash_1") == (
        "<status>failed</status>\n<exit_code>4</exit_code>"
    )


async def test_in_the_background_it_is_stopped_with_all_its_children(tools: ToolFixture) -> None:
    note = tools.folder / "child"
    command = f"{ignore_sigterm(note)} & wait"
    await tools.text("Bash", command=command, run_in_background=True)
    child = await read_pid(note)
    assert "is stopped" in await tools.text("KillBash", bash_id="bash_1")
    assert not is_alive(child)
    assert "<status>stopped</status>" in await tools.text("BashOutput", bash_id="bash_1")
    assert "has ended already" in await tools.text("KillBash", bash_id="bash_1")


async def test_closing_ends_what_is_in_the_background(tools: ToolFixture) -> None:
    note = tools.folder / "it"
    await tools.text("Bash", command=f"echo $$ >{note}; sleep 60", run_in_background=True)
    process = await read_pid(note)
    await tools.context.shell.aclose()
    assert not is_alive(process)


async def test_an_id_that_nobody_has_is_refused(tools: ToolFixture) -> None:
    refused = await tools.error("BashOutput", bash_id="bash_9")
    assert refused == ("Error: there is no command 'bash_9' in the background; there are: none")


async def test_the_environment_is_the_users(tools: ToolFixture) -> None:
    assert await tools.text("Bash", command="echo $HOME") == os.environ["HOME"]

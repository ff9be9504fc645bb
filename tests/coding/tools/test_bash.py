"""The shell: where it is, what it prints, and how it ends."""

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
from tests.coding.tools.conftest import Bench


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def ended(process: int) -> None:
    """Waits for its end, for some time."""
    for _ in range(400):
        if not is_alive(process):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"process {process} is still there")


async def process_in(path: Path) -> int:
    """The number that a command writes there."""
    return await asyncio.to_thread(_number_in, path)


def _number_in(path: Path) -> int:
    for _ in range(1500):
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"nothing was written to {path}")


def stubborn(note: Path) -> str:
    """A command that does not hear SIGTERM."""
    return f"(trap '' TERM; echo $BASHPID >{note}; while :; do sleep 9; done)"


async def test_a_command_starts_where_the_last_one_ended(bench: Bench) -> None:
    await bench.told("Bash", command="mkdir -p 'a b'/c && cd 'a b' && cd c")
    assert await bench.told("Bash", command="pwd") == f"{bench.here}/a b/c"
    await bench.refused("Bash", command="cd ..; exit 3")
    assert await bench.told("Bash", command="pwd") == f"{bench.here}/a b"


async def test_it_stays_in_the_project(bench: Bench) -> None:
    told = await bench.told("Bash", command="cd / && echo there")
    assert told.startswith("there\n")
    assert f"the shell is back in {bench.here}" in told
    assert await bench.told("Bash", command="pwd") == str(bench.here)


async def test_a_folder_that_is_gone_is_left_for_the_project(bench: Bench) -> None:
    await bench.told("Bash", command="mkdir gone && cd gone")
    shutil.rmtree(bench.here / "gone")
    assert await bench.told("Bash", command="pwd") == str(bench.here)


async def test_a_project_that_is_gone_is_an_answer(bench: Bench) -> None:
    shutil.rmtree(bench.here)
    assert "is gone" in await bench.refused("Bash", command="pwd")


async def test_without_room_for_temporary_files_commands_run_all_the_same(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(bench.here / "missing"))
    told = await bench.told("Bash", command="echo here")
    assert told.startswith("here\n<system-reminder>the next command starts where this one did")


async def test_a_failure_comes_with_its_code_and_what_it_said(bench: Bench) -> None:
    output = await bench.call("Bash", command="echo out; echo err >&2; exit 7")
    assert (output.ok, output.rc) == (False, 7)
    assert output.told == "Exit code 7\nerr\nout"
    assert "syntax error" in await bench.refused("Bash", command="echo (")


async def test_fifty_megabytes_are_taken_and_the_middle_is_left_out(bench: Bench) -> None:
    command = "echo first; head -c 50000000 /dev/zero | tr '\\0' x; echo; echo last"
    told = await bench.told("Bash", command=command)
    assert told.startswith("first\nxxx")
    assert told.endswith("xxx\nlast")
    assert "characters left out" in told
    assert len(told) < 31_000


async def test_output_without_end_ends_with_the_time(bench: Bench) -> None:
    began = time.monotonic()
    output = await bench.call("Bash", command="yes", timeout=3000)
    assert time.monotonic() - began < 60
    assert output.status == "timeout"
    assert output.told.startswith("Command timed out after 3s\ny\ny\n")


async def test_a_child_that_ignores_sigterm_ends_as_well(bench: Bench) -> None:
    note = bench.here / "child"
    command = (
        f"trap '' TERM; (trap '' TERM; echo $BASHPID >{note}; while :; do sleep 9; done) & wait"
    )
    began = time.monotonic()
    output = await bench.call("Bash", command=command, timeout=3000)
    assert output.told == "Command timed out after 3s"
    assert time.monotonic() - began < 60
    assert not is_alive(await process_in(note))


async def test_fifty_megabytes_and_a_child_that_ignores_sigterm_end_at_their_time(
    bench: Bench,
) -> None:
    note = bench.here / "child"
    floods = "while :; do head -c 1000000 /dev/zero | tr '\\0' x; done"
    command = (
        f"trap '' TERM; (trap '' TERM; echo $BASHPID >{note}; {floods}) & "
        "head -c 50000000 /dev/zero | tr '\\0' y >&2; echo all; wait"
    )
    began = time.monotonic()
    output = await bench.call("Bash", command=command, timeout=4000)
    assert time.monotonic() - began < 60
    assert output.told.startswith("Command timed out after 4s\nyyy")
    assert "characters left out" in output.told
    assert len(output.told) < 62_000
    assert not is_alive(await process_in(note))


async def test_a_child_that_hears_sigterm_may_tidy_up(bench: Bench) -> None:
    command = "sh -c 'trap \"echo tidy; exit\" TERM; sleep 60 & wait'"
    output = await bench.call("Bash", command=command, timeout=3000)
    assert output.told == "Command timed out after 3s\ntidy"


async def test_what_a_command_leaves_running_is_stopped_and_said(bench: Bench) -> None:
    note = bench.here / "left"
    told = await bench.told("Bash", command=f"sleep 60 & echo $! >{note}; echo done")
    assert told.startswith("done\n<system-reminder>what it left running was stopped")
    assert not is_alive(await process_in(note))


async def test_one_who_leaves_the_group_does_not_hold_the_call(bench: Bench) -> None:
    note = bench.here / "left"
    began = time.monotonic()
    leaves = f"setsid sleep 60 & echo $! >{note}; echo done"
    assert "done" in await bench.told("Bash", command=leaves)
    assert time.monotonic() - began < 30
    with contextlib.suppress(ProcessLookupError):
        os.kill(await process_in(note), signal.SIGKILL)


async def test_a_call_that_is_cancelled_kills_its_command(bench: Bench) -> None:
    note = bench.here / "it"
    call = asyncio.create_task(bench.call("Bash", command=f"echo $$ >{note}; sleep 60"))
    process = await process_in(note)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not is_alive(process)


async def test_a_command_has_nothing_to_read(bench: Bench) -> None:
    assert await bench.told("Bash", command="cat; echo end") == "end"
    assert await bench.told("Bash", command="true") == "(no output)"
    assert "NUL" in await bench.refused("Bash", command="echo \0")


async def test_output_is_told_as_it_comes(bench: Bench) -> None:
    heard: list[Output] = []

    def hear(piece: Output) -> None:
        heard.append(piece)
        bench.file("go", "")

    waits = "echo a; until [ -e go ]; do sleep 0.02; done; echo b >&2"
    call = function_call("c", "Bash", {"command": waits})
    await coding_tools(bench.context).stream_openai_tool(call, hear)
    assert [(piece.stream, piece.text) for piece in heard] == [("stdout", "a\n"), ("stderr", "b\n")]


async def test_in_the_background_its_output_comes_by_its_id(bench: Bench) -> None:
    command = "echo one; while [ ! -e go ]; do sleep 0.02; done; echo two; exit 4"
    told = await bench.told("Bash", command=command, run_in_background=True)
    assert told.startswith("Command running in background with ID: bash_1\n")
    first = ""
    while "one" not in first:
        await asyncio.sleep(0.02)
        first = await bench.told("BashOutput", bash_id="bash_1")
    assert first == "<status>running</status>\n<stdout>\none\n</stdout>"
    bench.file("go", "")
    watching = bench.context.shell.jobs["bash_1"].waiter
    assert watching is not None
    await watching
    last = await bench.told("BashOutput", bash_id="bash_1")
    assert last == ("<status>failed</status>\n<exit_code>4</exit_code>\n<stdout>\ntwo\n</stdout>")
    assert await bench.told("BashOutput", bash_id="bash_1") == (
        "<status>failed</status>\n<exit_code>4</exit_code>"
    )


async def test_in_the_background_it_is_stopped_with_all_its_children(bench: Bench) -> None:
    note = bench.here / "child"
    command = f"{stubborn(note)} & wait"
    await bench.told("Bash", command=command, run_in_background=True)
    child = await process_in(note)
    assert "is stopped" in await bench.told("KillBash", bash_id="bash_1")
    assert not is_alive(child)
    assert "<status>stopped</status>" in await bench.told("BashOutput", bash_id="bash_1")
    assert "has ended already" in await bench.told("KillBash", bash_id="bash_1")


async def test_closing_ends_what_is_in_the_background(bench: Bench) -> None:
    note = bench.here / "it"
    await bench.told("Bash", command=f"echo $$ >{note}; sleep 60", run_in_background=True)
    process = await process_in(note)
    await bench.context.shell.aclose()
    assert not is_alive(process)


async def test_an_id_that_nobody_has_is_refused(bench: Bench) -> None:
    refused = await bench.refused("BashOutput", bash_id="bash_9")
    assert refused == ("Error: there is no command 'bash_9' in the background; there are: none")


async def test_the_environment_is_the_users(bench: Bench) -> None:
    assert await bench.told("Bash", command="echo $HOME") == os.environ["HOME"]

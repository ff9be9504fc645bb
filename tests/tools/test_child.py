"""What bounds a child process: time, output, memory, files; and what is left of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from time import perf_counter

import pytest

from mini_agent.tools.child_process import MAX_OUTPUT_BYTES, TAIL_BYTES, run_child
from mini_agent.tools.invoker import OpenAIToolCall, ToolOutput
from mini_agent.tools.local import LocalMCPInvoker

SPAWNS = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
"""


def a_call(code: str) -> OpenAIToolCall:
    return {"function": {"name": "exec_python", "arguments": json.dumps({"code": code})}}


async def ran(code: str, seconds: float = 10.0) -> ToolOutput:
    return await LocalMCPInvoker(tool_timeout_sec=seconds).call_openai_tool(a_call(code))


async def is_gone(pid: int) -> bool:
    for _ in range(500):
        if state_of(pid) in ("", "Z"):
            return True
        await asyncio.sleep(0.02)
    return False


def state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return ""


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_program_that_takes_too_long_is_stopped_and_what_it_printed_is_kept() -> None:
    started = perf_counter()
    output = await ran("print('begun')\nimport time; time.sleep(60)", seconds=2)
    assert perf_counter() - started < 30
    assert (output.ok, output.rc, output.status) == (False, 124, "timeout")
    assert output.stdout == "begun\n"


async def test_its_children_are_stopped_with_it() -> None:
    output = await ran(f"{SPAWNS}\ntime.sleep(60)", seconds=3)
    assert output.status == "timeout"
    assert await is_gone(int(output.stdout))


async def test_children_it_leaves_behind_are_stopped_at_its_end() -> None:
    started = perf_counter()
    output = await ran(SPAWNS, seconds=60)
    assert perf_counter() - started < 30
    assert output.ok
    assert await is_gone(int(output.stdout))


async def test_cancelling_stops_the_program_and_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"{SPAWNS}\nopen({str(note)!r}, 'w').write(str(child.pid))\ntime.sleep(60)"
    running = asyncio.ensure_future(LocalMCPInvoker().call_openai_tool(a_call(code)))
    async with asyncio.timeout(30):
        while not note.exists() or not note.read_text():  # noqa: ASYNC110, no event to wait for
            await asyncio.sleep(0.02)
    started = perf_counter()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert perf_counter() - started < 10
    assert await is_gone(int(note.read_text()))


async def test_someone_who_left_the_group_and_holds_the_output_does_not_hold_us() -> None:
    code = (
        "import os, time\nleaving = os.fork()\nif leaving == 0:\n    os.setsid()\n"
        "    time.sleep(60)\nprint(leaving, flush=True)"
    )
    started = perf_counter()
    output = await ran(code, seconds=60)
    os.kill(int(output.stdout), signal.SIGKILL)
    assert perf_counter() - started < 30


async def test_of_much_output_the_end_is_kept() -> None:
    output = await ran("print('x' * 1_000_000)\nprint('the end')")
    assert output.ok
    assert len(output.stdout) == TAIL_BYTES
    assert output.stdout.endswith("x\nthe end\n")
    assert output.note == f"only the last {TAIL_BYTES} bytes of stdout were kept"


async def test_a_program_that_never_stops_printing_is_killed() -> None:
    output = await ran("while True: print('x' * 100_000)")
    assert (output.rc, output.status) == (137, "killed")
    assert f"more than {MAX_OUTPUT_BYTES >> 20} MiB" in output.note


async def test_memory_is_limited() -> None:
    output = await ran("x = bytearray(3 << 30)")
    assert output.stderr.endswith("MemoryError\n")


async def test_file_size_is_limited() -> None:
    output = await ran("open('big', 'wb').write(b'x' * (80 << 20))")
    assert "File too large" in output.stderr


async def test_no_core_is_dumped() -> None:
    code = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    assert (await ran(code)).stdout == "(0, 0)\n"


async def test_signals_that_python_ignores_are_not_ignored_in_the_command(tmp_path: Path) -> None:
    output = await run_child(["grep", "SigIgn", "/proc/self/status"], tmp_path, 5)
    ignored = int(output.stdout.split()[1], 16)
    assert not [name for name in ("SIGPIPE", "SIGXFSZ") if ignored >> signal.Signals[name] - 1 & 1]


async def test_nothing_is_left_open_after_many_programs() -> None:
    await ran("print(1)")
    before = open_files()
    for _ in range(5):
        await ran("print(1)")
    assert open_files() == before


async def test_programs_run_side_by_side(tmp_path: Path) -> None:
    meets_the_others = (
        f"import os, pathlib, time\nplace = pathlib.Path({str(tmp_path)!r})\n"
        "(place / str(os.getpid())).touch()\n"
        "while len(os.listdir(place)) < 4: time.sleep(0.02)"
    )
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ran(meets_the_others, seconds=30)) for _ in range(4)]
    assert all(task.result().ok for task in tasks)

"""Run a command as a child process, bounded in time, memory and output."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Final

from mini_agent.tools import rlimits
from mini_agent.tools.invoker import ToolOutput

TAIL_BYTES: Final = 65_536
MAX_OUTPUT_BYTES: Final = 16 << 20
DRAIN_TIMEOUT_S: Final = 0.5
TIMEOUT_EXIT_CODE: Final = 124
INHERITED_VARIABLES: Final = ("HOME", "LANG", "LC_ALL", "TZ")


async def run_child(command: Sequence[str], folder: Path, timeout_s: float) -> ToolOutput:
    """Run `command` in `folder` and return its output.

    Its whole process group is killed when it ends, when its time is up, when it prints more than
    16 MiB, and when the caller is cancelled.
    """
    flooded = asyncio.Event()
    async with _pipe(flooded) as stdout, _pipe(flooded) as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", rlimits.__file__, str(_cpu_seconds(timeout_s))),
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout.writing_end,
            stderr=stderr.writing_end,
            cwd=folder,
            env=_environment(folder),
            start_new_session=True,
        )
        stdout.close()
        stderr.close()
        try:
            ended_by_itself = await _wait_for_exit(process, flooded, timeout_s)
        finally:
            _kill_group(process.pid)
            await process.wait()
        await _drain(stdout, stderr)
    if ended_by_itself:
        return _build_output(process.returncode or 0, stdout, stderr)
    if flooded.is_set():
        why = f"it was killed because it printed more than {MAX_OUTPUT_BYTES >> 20} MiB"
        return _build_output(-signal.SIGKILL, stdout, stderr, why)
    return _build_output(None, stdout, stderr)


class _Tail(asyncio.Protocol):
    """A pipe's reading end: keeps the end of what comes, and counts all of it.

    It also holds the writing end until the child has inherited it.
    """

    def __init__(self, flooded: asyncio.Event, writing_end: int) -> None:
        self.writing_end = writing_end
        self.total = 0
        self.closed = asyncio.Event()
        self._flooded = flooded
        self._kept = bytearray()
        self._is_open = True

    @property
    def text(self) -> str:
        return self._kept.decode("utf-8", "replace")

    def data_received(self, data: bytes) -> None:
        self.total += len(data)
        self._kept += data
        del self._kept[:-TAIL_BYTES]
        if self.total > MAX_OUTPUT_BYTES:
            self._flooded.set()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.closed.set()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self.writing_end)


@asynccontextmanager
async def _pipe(flooded: asyncio.Event) -> AsyncIterator[_Tail]:
    # Pipes of our own: with asyncio's, `wait` can hang on whoever inherited the writing end.
    reading_end, writing_end = os.pipe()
    loop = asyncio.get_running_loop()
    with os.fdopen(reading_end, "rb", 0) as pipe, closing(_Tail(flooded, writing_end)) as tail:
        transport, _ = await loop.connect_read_pipe(lambda: tail, pipe)
        with closing(transport):
            yield tail


async def _wait_for_exit(
    process: asyncio.subprocess.Process, flooded: asyncio.Event, timeout_s: float
) -> bool:
    """Wait for the exit; return False when the process has to be killed."""
    exiting = asyncio.ensure_future(process.wait())
    flooding = asyncio.ensure_future(flooded.wait())
    try:
        await asyncio.wait(
            {exiting, flooding}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        return exiting.done()
    finally:
        exiting.cancel()
        flooding.cancel()


async def _drain(*tails: _Tail) -> None:
    # Someone who left the process group may hold the pipe open: what is there by now is all.
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            for tail in tails:
                await tail.closed.wait()


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def _build_output(returned: int | None, stdout: _Tail, stderr: _Tail, why: str = "") -> ToolOutput:
    rc = TIMEOUT_EXIT_CODE if returned is None else returned if returned >= 0 else 128 - returned
    status = "timeout" if returned is None else "killed" if returned == -signal.SIGKILL else ""
    cut = [name for name, tail in _named(stdout, stderr) if tail.total > TAIL_BYTES]
    cutting = f"only the last {TAIL_BYTES} bytes of {' and '.join(cut)} were kept" if cut else ""
    return ToolOutput(
        ok=rc == 0,
        rc=rc,
        stdout=stdout.text,
        stderr=stderr.text,
        status=status,
        note="; ".join(said for said in (why, cutting) if said),
    )


def _named(stdout: _Tail, stderr: _Tail) -> tuple[tuple[str, _Tail], ...]:
    return (("stdout", stdout), ("stderr", stderr))


def _cpu_seconds(timeout_s: float) -> int:
    return math.ceil(timeout_s) * (os.cpu_count() or 1) + 1


def _environment(folder: Path) -> dict[str, str]:
    # INVARIANT: nothing else of the parent's environment, which may hold keys, is passed on.
    passed_on = {name: os.environ[name] for name in INHERITED_VARIABLES if name in os.environ}
    beside_python = str(Path(sys.executable).parent)
    search_path = os.pathsep.join((beside_python, os.environ.get("PATH", os.defpath)))
    return {"LANG": "C.UTF-8", **passed_on, "PATH": search_path, "TMPDIR": str(folder)}

"""Finds ripgrep, and runs it as a child process."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sysconfig
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.tools.arguments import RejectedCall

TIMEOUT_S: Final = 60.0
MAX_OUTPUT_BYTES: Final = 64 << 20
MAX_STDERR_BYTES: Final = 1 << 16
NO_MATCH_EXIT_CODE: Final = 1
# In the message about a file that cannot be read; the search goes on without it.
FILE_ERROR_MARK: Final = "(os error "


@dataclass(frozen=True, slots=True)
class RipgrepResult:
    """The output of rg; `remark` says what is missing from it."""

    output: bytes
    remark: str = ""


def find_ripgrep(environment: Mapping[str, str]) -> str | None:
    """Return the path of rg, on PATH or beside Python; None if it is not installed.

    A wheel puts it beside Python, where PATH finds it only in an activated environment.
    """
    return shutil.which("rg", path=environment.get("PATH")) or shutil.which(
        "rg", path=sysconfig.get_path("scripts")
    )


async def run_ripgrep(
    rg: str, options: Sequence[str], folder: Path, timeout_s: float = TIMEOUT_S
) -> RipgrepResult:
    """Run rg in `folder`; raise `RejectedCall` with its message if it rejects the pattern."""
    search = _RipgrepRun((rg, "--no-config", "--color=never", *options), folder)
    task = asyncio.create_task(asyncio.to_thread(search.run))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(task)
    except TimeoutError:
        search.stop()
        result = await task
        return RipgrepResult(result.output, f"the search was ended after {timeout_s:g} s")
    except asyncio.CancelledError:
        search.stop()
        raise


class _RipgrepRun:
    """One run of rg, in a thread: its many small writes would cost an event loop too much."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._command, self._folder = command, folder
        self._stopped = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """Kill the process, now or as soon as it has started."""
        self._stopped.set()
        if self._process is not None:
            self._process.kill()

    def run(self) -> RipgrepResult:
        """Return all that it prints, up to 64 MB."""
        with (
            tempfile.TemporaryFile() as error_file,
            subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=error_file,
                cwd=self._folder,
                bufsize=0,
            ) as process,
        ):
            self._process = process
            output = self._read_output(process)
            if len(output) >= MAX_OUTPUT_BYTES:
                return RipgrepResult(
                    output, f"the search was ended after {MAX_OUTPUT_BYTES >> 20} MB"
                )
            error_file.seek(0)
            error_text = error_file.read(MAX_STDERR_BYTES).decode("utf-8", "replace")
            return _check_result(process.wait(), output, error_text)

    def _read_output(self, process: subprocess.Popen[bytes]) -> bytes:
        output = bytearray()
        if process.stdout is not None:
            while not self._stopped.is_set() and (piece := process.stdout.read(1 << 20)):
                output += piece
                if len(output) >= MAX_OUTPUT_BYTES:
                    self._stopped.set()
        if self._stopped.is_set():
            process.kill()
        return bytes(output)


def _check_result(code: int, output: bytes, error_text: str) -> RipgrepResult:
    lines = error_text.strip().splitlines()
    # A negative code means killed; the matches up to then count.
    if code <= NO_MATCH_EXIT_CODE or not lines:
        return RipgrepResult(output)
    about_files = [line for line in lines if FILE_ERROR_MARK in line]
    if not output and len(about_files) < len(lines):
        raise RejectedCall(f"Error: {error_text.strip()}")
    return RipgrepResult(output, f"not searched: {lines[0].removeprefix('rg: ')}")

"""ripgrep as a child process: what it finds, and what it complains about."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.tools.arguments import NotRun

MISSING: Final = (
    "Error: ripgrep (rg) is not installed: the Grep tool cannot be used.\n"
    "Install it: sudo apt-get install ripgrep, or brew install ripgrep. "
    "Until then, use grep in Bash.\n"
)
SECONDS: Final = 60.0
MOST_BYTES: Final = 64 << 20
FOUND_NONE: Final = 1
COMPLAINED: Final = 2
# Of a file that could not be read; the search goes on without it.
ABOUT_A_FILE: Final = "(os error "


@dataclass(frozen=True, slots=True)
class Findings:
    """What rg printed, and a remark when it is not all there is."""

    output: bytes
    remark: str = ""


def ripgrep_in(environment: Mapping[str, str]) -> str | None:
    """Where rg is installed."""
    return shutil.which("rg", path=environment.get("PATH"))


async def searched(rg: str, options: Sequence[str], folder: Path) -> Findings:
    """What rg finds; `NotRun` with its own words when it does not understand what to look for."""
    process = await asyncio.create_subprocess_exec(
        *(rg, "--no-config", "--color=never", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        limit=1 << 20,
    )
    output = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            complaint = await _read(process, output)
    except TimeoutError:
        return Findings(bytes(output), f"the search was ended after {SECONDS:g} s")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if len(output) >= MOST_BYTES:
        return Findings(bytes(output), f"the search was ended after {MOST_BYTES >> 20} MB")
    return _judged(process.returncode or 0, bytes(output), complaint)


async def _read(process: asyncio.subprocess.Process, output: bytearray) -> str:
    if process.stdout is None or process.stderr is None:
        raise AssertionError("both are pipes")
    complaining = asyncio.create_task(process.stderr.read())
    try:
        while len(output) < MOST_BYTES and (piece := await process.stdout.read(1 << 20)):
            output += piece
        if len(output) >= MOST_BYTES:
            return ""
        await process.wait()
        return (await complaining).decode("utf-8", "replace")
    finally:
        complaining.cancel()


def _judged(code: int, output: bytes, complaint: str) -> Findings:
    lines = complaint.strip().splitlines()
    if code <= FOUND_NONE or not lines:
        return Findings(output)
    about_files = [line for line in lines if ABOUT_A_FILE in line]
    if not output and len(about_files) < len(lines):
        raise NotRun(f"Error: {complaint.strip()}")
    return Findings(output, f"not searched: {lines[0].removeprefix('rg: ')}")

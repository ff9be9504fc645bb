"""Measures the assistant's start to its prompt and its help: python -m bench.assistant_start."""

from __future__ import annotations

import os
import pty
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

PROGRAM: Final = str(Path(sys.executable).with_name("mini-agent"))
SAMPLES: Final = 15
TIMEOUT_S: Final = 30.0
# In the line below the prompt, which is drawn with it.
READY: Final = "· /help".encode()
CURSOR_QUERY: Final = b"\x1b[6n"
CURSOR_REPLY: Final = b"\x1b[1;1R"


def main() -> None:
    """Print the best and the median of each, in milliseconds."""
    with tempfile.TemporaryDirectory() as home:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TERM": "xterm-256color",
            "OPENAI_API_KEY": "k",
        }
        _report("to the prompt", lambda: _time_to_prompt(home, variables))
        _report("--help", lambda: _time_to_exit(variables))


def _report(what: str, timed: Callable[[], float]) -> None:
    took = [timed() * 1000 for _ in range(SAMPLES)]
    sys.stdout.write(
        f"{what:<14} best {min(took):4.0f} ms, median {statistics.median(took):4.0f} ms\n"
    )


def _time_to_exit(variables: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([PROGRAM, "--help"], env=variables, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _time_to_prompt(home: str, variables: dict[str, str]) -> float:
    ours, theirs = pty.openpty()
    began = time.perf_counter()
    process = subprocess.Popen(
        ["setsid", "--ctty", PROGRAM],
        cwd=home,
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while READY not in shown and select.select([ours], [], [], TIMEOUT_S)[0]:
        piece = os.read(ours, 65_536)
        shown += piece
        if CURSOR_QUERY in piece:
            os.write(ours, CURSOR_REPLY)
    took = time.perf_counter() - began
    process.kill()
    process.wait()
    os.close(ours)
    return took


if __name__ == "__main__":
    main()

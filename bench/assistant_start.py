"""How long the assistant takes to its prompt and its help: python -m bench.assistant_start."""

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
TIMES: Final = 15
PATIENCE_S: Final = 30.0
# In the line below the prompt, which is drawn with it.
READY: Final = "· /help".encode()
CURSOR_ASKED: Final = b"\x1b[6n"
CURSOR: Final = b"\x1b[1;1R"


def main() -> None:
    """Prints the best and the median of each, in milliseconds."""
    with tempfile.TemporaryDirectory() as home:
        variables = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TERM": "xterm-256color",
            "OPENAI_API_KEY": "k",
        }
        _told("to the prompt", lambda: _to_the_prompt(home, variables))
        _told("--help", lambda: _to_the_end(variables))


def _told(what: str, timed: Callable[[], float]) -> None:
    took = [timed() * 1000 for _ in range(TIMES)]
    sys.stdout.write(
        f"{what:<14} best {min(took):4.0f} ms, median {statistics.median(took):4.0f} ms\n"
    )


def _to_the_end(variables: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([PROGRAM, "--help"], env=variables, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _to_the_prompt(home: str, variables: dict[str, str]) -> float:
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
    while READY not in shown and select.select([ours], [], [], PATIENCE_S)[0]:
        piece = os.read(ours, 65_536)
        shown += piece
        if CURSOR_ASKED in piece:
            os.write(ours, CURSOR)
    took = time.perf_counter() - began
    process.kill()
    process.wait()
    os.close(ours)
    return took


if __name__ == "__main__":
    main()

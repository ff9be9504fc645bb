"""Runs a program in a tmux terminal: sends keys, reads the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import pytest

TIMEOUT_S: Final = 80.0
POLL_INTERVAL_S: Final = 0.05
COLUMNS, LINES = 90, 40
# tmux does not always notice that its child has ended.
EXIT_CODE_COMMAND: Final = '"$@"; echo $? >"$0"'


class Tmux:
    """A terminal of 90 by 40 characters on a tmux server of its own."""

    def __init__(self, command: Sequence[str], cwd: Path, variables: Mapping[str, str]) -> None:
        if shutil.which("tmux") is None:
            pytest.skip("there is no tmux on this machine: sudo apt-get install tmux")
        self._command, self._cwd = command, cwd
        self._variables = {**variables, "LANG": "C.UTF-8", "TMUX_TMPDIR": str(cwd.parent)}
        self._name = f"t{uuid4().hex[:8]}"
        self._code = cwd.parent / f"{self._name}.code"

    def __enter__(self) -> Self:
        size = ("-x", str(COLUMNS), "-y", str(LINES), "-c", str(self._cwd))
        self._tmux(
            *("start-server", ";", "set-option", "-g", "remain-on-exit", "on", ";"),
            *("set-option", "-g", "history-limit", "5000", ";"),
            *(
                "new-session",
                "-d",
                *size,
                "sh",
                "-c",
                EXIT_CODE_COMMAND,
                str(self._code),
                *self._command,
            ),
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tmux("kill-server")

    def ends_with(self, signal: str) -> None:
        """Send a signal to the program; a closed window sends HUP."""
        self._tmux("run-shell", f"kill -{signal} -#{{pane_pid}}")

    @property
    def screen(self) -> str:
        """The visible screen."""
        return self._tmux("capture-pane", "-p")

    @property
    def shown(self) -> str:
        """The screen and its history, with runs of whitespace as one space."""
        return " ".join(self._tmux("capture-pane", "-p", "-J", "-S", "-").split())

    @property
    def coloured(self) -> str:
        """The same with lines and colours; wrapped lines are joined."""
        return self._tmux("capture-pane", "-p", "-e", "-J", "-S", "-")

    def types(self, text: str) -> None:
        """Type text literally."""
        self._tmux("send-keys", "-l", "--", text)

    def presses(self, *keys: str) -> None:
        """Press keys by tmux's names, such as Enter, C-c, BTab."""
        self._tmux("send-keys", *keys)

    def says(self, text: str) -> None:
        """Type a line and press Enter."""
        self.types(text)
        self.presses("Enter")

    def until(self, text: str, times: int = 1) -> str:
        """Wait until `text` is shown so many times; return all that is shown."""
        self.wait_for(lambda: self.shown.count(text) >= times, repr(text))
        return self.shown

    def until_last(self, text: str) -> str:
        """Wait until the last line contains `text`; return the screen."""
        self.wait_for(lambda: text in (self.screen.split("\n") or [""])[-1], repr(text))
        return self.screen

    def wait_for(self, happened: Callable[[], object], what: str) -> None:
        """Wait until `happened` is true."""
        end = time.monotonic() + TIMEOUT_S
        while not happened():
            if time.monotonic() > end:
                raise AssertionError(f"{what} did not come, the screen is:\n{self.screen}")
            time.sleep(POLL_INTERVAL_S)

    def ended(self) -> int:
        """Wait for the end and return the exit code."""
        self.wait_for(lambda: self._code.exists() and self._code.read_text(), "the end")
        return int(self._code.read_text())

    def _tmux(self, *arguments: str) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-L", self._name, "-f", os.devnull, *arguments],
            env=self._variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.rstrip("\n")

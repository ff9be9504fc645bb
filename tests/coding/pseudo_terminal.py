"""A program at a terminal: what it shows, and keys for it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

CONTROLS: Final = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\][^\x07]*\x07|\x1b[=>]|\r")
CURSOR_ASKED: Final = b"\x1b[6n"
PATIENCE_S: Final = 40.0
CTRL_C, CTRL_D, SHIFT_TAB, ALT_ENTER = "\x03", "\x04", "\x1b[Z", "\x1b\r"


class PseudoTerminal:
    """Eighty by forty characters; `shown` is all that was ever printed, without colours."""

    def __init__(self, command: Sequence[str], cwd: Path, variables: Mapping[str, str]) -> None:
        self._command, self._cwd = command, cwd
        self._variables = {**variables, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"}
        self._raw = b""
        self._heard = 0

    def __enter__(self) -> Self:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
        self._process = subprocess.Popen(
            ["setsid", "--ctty", *self._command],
            cwd=self._cwd,
            env=self._variables,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        os.close(self._ours)

    @property
    def shown(self) -> str:
        return CONTROLS.sub("", self._raw.decode("utf-8", "replace"))

    def send(self, keys: str) -> None:
        """Types; what was shown before counts no more."""
        self._heard = len(self.shown)
        os.write(self._ours, keys.encode())

    def until(self, text: str) -> str:
        """Waits until `text` is shown after the last keys, or after what was waited for last; gives
        all that was shown since.
        """
        end = time.monotonic() + PATIENCE_S
        while text not in self.shown[self._heard :]:
            left = end - time.monotonic()
            if left <= 0 or not self._more(left):
                raise AssertionError(f"{text!r} was not shown, but:\n{self.shown[-1500:]}")
        since = self.shown[self._heard :]
        self._heard += since.index(text) + len(text)
        return since

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Waits, reading what is shown meanwhile."""
        end = time.monotonic() + PATIENCE_S
        while not happened() and time.monotonic() < end:
            self._more(0.1)

    def ended(self) -> int:
        """The exit code, when it has ended."""
        end = time.monotonic() + PATIENCE_S
        while self._process.poll() is None and time.monotonic() < end:
            self._more(0.1)
        return self._process.wait(1)

    def _more(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return seconds < PATIENCE_S
        try:
            piece = os.read(self._ours, 65536)
        except OSError:
            return False
        self._raw += piece
        if CURSOR_ASKED in piece:
            os.write(self._ours, b"\x1b[1;1R")
        return bool(piece)

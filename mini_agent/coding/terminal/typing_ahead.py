"""What is typed while the assistant works: not shown among its words, and kept for the prompt."""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

INPUT, LOCAL = 0, 3
SHOWING: Final = termios.ECHO | termios.ICANON


@contextmanager
def unechoed() -> Iterator[None]:
    """The terminal shows no keys; Enter stays Enter, and Ctrl-C a signal."""
    number = sys.stdin.fileno()
    before, within = termios.tcgetattr(number), termios.tcgetattr(number)
    within[INPUT] &= ~termios.ICRNL
    within[LOCAL] &= ~SHOWING
    termios.tcsetattr(number, termios.TCSANOW, within)
    try:
        yield
    finally:
        # A terminal that was closed is gone.
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSANOW, before)


def forget_typed() -> None:
    """Throws away what was typed so far."""
    with suppress(termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

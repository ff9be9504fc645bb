"""What is typed while the assistant works: not shown among its words, and kept for the prompt."""

from __future__ import annotations

import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
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
        termios.tcsetattr(number, termios.TCSANOW, before)


def forget_typed() -> None:
    """Throws away what was typed so far."""
    termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)

"""What is typed while the assistant works: not shown among its words, and kept for the prompt."""

from __future__ import annotations

import asyncio
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import clear_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys

INPUT, LOCAL = 0, 3
SHOWING: Final = termios.ECHO | termios.ICANON


@contextmanager
def unechoed() -> Iterator[None]:
    """The terminal shows no keys; Enter stays Enter, and Ctrl-C a signal."""
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    _be_quiet()
    try:
        yield
    finally:
        # A terminal that was closed is gone.
        with suppress(termios.error):
            termios.tcsetattr(number, termios.TCSANOW, before)


def _be_quiet() -> None:
    number = sys.stdin.fileno()
    with suppress(termios.error):
        modes = termios.tcgetattr(number)
        modes[INPUT] &= ~termios.ICRNL
        modes[LOCAL] &= ~SHOWING
        termios.tcsetattr(number, termios.TCSANOW, modes)


class TypedAhead:
    """The keys of a turn: Esc, by itself, stops it, all others are for the prompt after it."""

    def __init__(self, keys: Input) -> None:
        self._input = keys
        self._kept: list[KeyPress] = []

    @contextmanager
    def stoppable(self, stop: Callable[[], object]) -> Iterator[None]:
        """While a turn goes on; a question in the middle of it reads its keys itself."""

        def read() -> None:
            pressed = [*self._input.read_keys(), *self._input.flush_keys()]
            if [each.key for each in pressed] == [Keys.Escape]:
                stop()
            else:
                self._kept += pressed

        loop = asyncio.get_running_loop()
        # Shells that bring a program back, after Ctrl-Z, bring their own modes of the terminal.
        loop.add_signal_handler(signal.SIGCONT, _be_quiet)
        try:
            with self._input.attach(read):
                yield
        finally:
            loop.remove_signal_handler(signal.SIGCONT)
            store_typeahead(self._input, self._kept)
            self._kept = []

    def forget(self) -> None:
        """Throws away what was typed so far."""
        with suppress(termios.error):
            termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        clear_typeahead(self._input)
        self._kept = []

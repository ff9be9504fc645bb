"""The user's lines where there is no terminal: those of standard input."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

MOST_BYTES: Final = 65_536


class PlainReader:
    """Waits in the event loop and in no thread: a thread that reads cannot be ended."""

    def __init__(self) -> None:
        self._left = b""

    async def prompt(self) -> str | None:
        """The next line; None at the end."""
        return await self.line("> ")

    def quiet(self) -> AbstractContextManager[None]:
        """Nothing is shown that would have to be kept quiet."""
        return nullcontext()

    def stoppable(self, stop: Callable[[], object]) -> AbstractContextManager[None]:
        """No key means more than the line that it stands in."""
        del stop
        return nullcontext()

    def forget(self) -> None:
        """Lines are answers in the order in which they come."""

    async def line(self, prompt: str) -> str | None:
        """The next line, after `prompt` was written."""
        print(prompt, end="", flush=True)
        number = sys.stdin.fileno()
        while b"\n" not in self._left:
            await _readable(number)
            piece = os.read(number, MOST_BYTES)
            if not piece:
                break
            self._left += piece
        line, end, self._left = self._left.partition(b"\n")
        return line.decode("utf-8", "replace") if line or end else None


async def _readable(number: int) -> None:
    ready = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        loop.add_reader(number, ready.set)
    except PermissionError:
        # A plain file, of which there is always something to be read.
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(number)

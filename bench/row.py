"""A row of the table: one way of running a snippet, timed again and again."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """`once` runs it and returns its output, which must be `expected()`."""

    key: str
    label: str
    once: Callable[[], Awaitable[str]]
    expected: Callable[[], str] = lambda: "1"
    times: int = 1


def command_row(key: str, label: str, command: Sequence[str]) -> Row:
    """A row of a local command that prints 1."""
    return Row(key, label, lambda: _run_async(command))


async def _run_async(command: Sequence[str]) -> str:
    return _run(command)


def _run(command: Sequence[str]) -> str:
    # Nothing else happens meanwhile: a watcher of children would only be added to the time.
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout

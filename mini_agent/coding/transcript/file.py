"""A transcript's file: read as far as it can be, and only ever added to, a whole line at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mini_agent.coding.transcript.log import Entry, entry_in
from mini_agent.errors import MiniAgentError
from mini_agent.messages import JsonObject


@dataclass(frozen=True, slots=True)
class Written:
    """What a file holds: its lines, and a remark on those that could not be read."""

    entries: tuple[Entry, ...] = ()
    remark: str = ""


def read_transcript(path: Path) -> Written:
    """The lines of `path`, none where it is not there; a broken line is left out, with a remark."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Written()
    except OSError as unreadable:
        raise MiniAgentError(f"{path} cannot be read: {unreadable.strerror}") from unreadable
    entries: list[Entry] = []
    broken: list[int] = []
    for number, line in enumerate(raw.decode("utf-8", "replace").split("\n"), start=1):
        if not line.strip():
            continue
        entry = entry_in(line)
        if entry is None:
            broken.append(number)
        else:
            entries.append(entry)
    return Written(tuple(entries), _remark(path, broken))


def append_line(path: Path, value: JsonObject) -> None:
    """Adds one line; one that does not fit on the disk leaves the file as it was."""
    line = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # INVARIANT: nothing that stands in the file is ever changed, a broken last line included.
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as unwritable:
        raise _unwritable(path, unwritable) from unwritable
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line
        _write_whole(file, line, size)
    except OSError as unwritable:
        raise _unwritable(path, unwritable) from unwritable
    finally:
        os.close(file)


def _write_whole(file: int, line: bytes, size: int) -> None:
    try:
        left = memoryview(line)
        while left:
            left = left[os.write(file, left) :]
    except OSError:
        os.ftruncate(file, size)
        raise


def _unwritable(path: Path, why: OSError) -> MiniAgentError:
    return MiniAgentError(
        f"the transcript {path} cannot be written: {why.strerror}",
        hint="what is in it is whole: make room, or rights, and go on with --resume",
    )


def _remark(path: Path, broken: Sequence[int]) -> str:
    if not broken:
        return ""
    lines = ", ".join(map(str, broken[:5])) + (", ..." if len(broken) > 5 else "")
    word = "line" if len(broken) == 1 else "lines"
    return (
        f"{path}: {word} {lines} cannot be read and {'is' if len(broken) == 1 else 'are'} left out"
    )

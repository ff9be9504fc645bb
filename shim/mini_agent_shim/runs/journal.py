"""The journal of a run: a JSON Lines file that is read while it is written."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic_core import PydanticSerializationError

from mini_agent_shim.runs.redaction import Redactor
from mini_agent_shim.runs.schema import LogEvent, RunEnded, parse_line_head


class Journal:
    """Appends to a journal. Each line is complete in the file once `append` returns."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.redactor = redactor
        self._file = path.open("ab", buffering=0)
        self._seq = read_last_seq(path)
        self.bytes = path.stat().st_size

    def append(self, event: LogEvent) -> None:
        """Append one line; raises `OSError` on a full disk, and then leaves no part of it."""
        text = self.redactor.redact(_dump(event))
        head = f'{{"seq":{self._seq + 1},"at":{time.time():.3f},"event":'
        line = f"{head}{text}}}\n".encode("utf-8", "replace")
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.truncate(self._file.fileno(), self.bytes)
            raise
        self._seq += 1
        self.bytes += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class JournalReader:
    """Reads a journal from its beginning; later calls return the lines added meanwhile."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def read_new_lines(self) -> Iterator[bytes]:
        """Yield new lines without their line feed; an unfinished last line is skipped."""
        for line in self._file:
            if line.endswith(b"\n"):
                yield line[:-1]


def read_last_seq(path: Path) -> int:
    """Return the number of the last line, 0 for an empty journal."""
    seq = 0
    with JournalReader(path) as lines:
        for line in lines.read_new_lines():
            seq, _ = parse_line_head(line)
    return seq


def repair_journal(path: Path) -> bool:
    """Truncate a line that a crash left unfinished; return whether the run's end is recorded."""
    whole, kind = 0, ""
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                file.truncate(whole)
                break
            whole += len(line)
            _, kind = parse_line_head(line)
    return bool(kind == RunEnded.model_fields["kind"].default)


# Lone surrogates, which models and programs may print, cannot be encoded as UTF-8.
def _dump(event: LogEvent) -> str:
    try:
        return event.model_dump_json()
    except PydanticSerializationError:
        return json.dumps(event.model_dump(), ensure_ascii=True, separators=(",", ":"), default=str)

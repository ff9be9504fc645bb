"""The log of one run as a file of JSON Lines: written as it happens, read while it grows."""

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
    """A log that is being written. Each line is there, whole, once `append` returns."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.redactor = redactor
        self._file = path.open("ab", buffering=0)
        self._seq = read_last_seq(path)
        self.bytes = path.stat().st_size

    def append(self, event: LogEvent) -> None:
        """One more line; `OSError` where there is no room, and then nothing of it is left."""
        said = self.redactor.redact(_dump(event))
        head = f'{{"seq":{self._seq + 1},"at":{time.time():.3f},"event":'
        line = f"{head}{said}}}\n".encode("utf-8", "replace")
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.truncate(self._file.fileno(), self.bytes)
            raise
        self._seq += 1
        self.bytes += len(line)

    def close(self) -> None:
        """No line follows."""
        self._file.close()


class JournalReader:
    """The lines of a log from its beginning; asked again, those that were added meanwhile."""

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
        """Each without its line end. The beginning of a line that a crash cut off is none."""
        for line in self._file:
            if line.endswith(b"\n"):
                yield line[:-1]


def read_last_seq(path: Path) -> int:
    """The number of the last line, 0 where there is none."""
    seq = 0
    with JournalReader(path) as lines:
        for line in lines.read_new_lines():
            seq, _ = parse_line_head(line)
    return seq


def repair_journal(path: Path) -> bool:
    """Cuts off the line that a crash left unfinished; whether the log has its last line."""
    whole, kind = 0, ""
    with path.open("r+b") as file:
        for line in file:
            if not line.endswith(b"\n"):
                file.truncate(whole)
                break
            whole += len(line)
            _, kind = parse_line_head(line)
    return bool(kind == RunEnded.model_fields["kind"].default)


# Lone surrogates, which a model or a program may well say, are no UTF-8.
def _dump(event: LogEvent) -> str:
    try:
        return event.model_dump_json()
    except PydanticSerializationError:
        return json.dumps(event.model_dump(), ensure_ascii=True, separators=(",", ":"), default=str)

"""Some lines of a file of any size, without holding the rest of it."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from mini_agent.coding.tools.text_file import EIGHT_BITS, LOOKED_AT, mark_of
from mini_agent.tools.arguments import NotRun

CHUNK: Final = 1 << 20
LONGEST_LINE: Final = 1 << 16
# Their line feeds are no bytes of their own.
WIDE: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


class _Bytes(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Part:
    """Lines of a file; `passed` counts those before and among them, and `has_more` those behind."""

    lines: tuple[str, ...]
    passed: int
    has_more: bool
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class Pager:
    """Reads `count` lines from the line `first`, from 1, and stops when they are too long.

    A line longer than 64 KiB is cut. `most` is how many bytes are enough: the line that passes it
    is the last one read.
    """

    first: int
    count: int
    most: int

    def part(self, path: Path) -> Part:
        """The lines; `NotRun` for a file that is no text."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            beginning = file.read(LOOKED_AT)
            mark, encoding = mark_of(beginning)
            if not mark and b"\0" in beginning:
                raise NotRun(f"Error: {path} is not a text file.")
            file.seek(len(mark))
            if encoding in WIDE:
                return self._read(_Recoded(file, encoding), status)
            return self._read(file, status)

    def _read(self, file: _Bytes, status: os.stat_result) -> Part:
        passed, rest = _passed(file, self.first - 1)
        lines = _Lines(file, rest)
        found: list[bytes] = []
        length = 0
        for line in lines:
            if len(found) == self.count or length > self.most:
                return Part(_decoded(found), passed + len(found), has_more=True, status=status)
            found.append(line)
            length += len(line)
        return Part(_decoded(found), passed + len(found), has_more=False, status=status)


class _Lines:
    """Lines without their ends, each cut to 64 KiB."""

    def __init__(self, file: _Bytes, rest: bytes) -> None:
        self._file, self._rest = file, rest

    def __iter__(self) -> Iterator[bytes]:
        line, started = bytearray(), False
        for piece in self._pieces():
            *ended, last = piece.split(b"\n")
            for part in ended:
                line += part[: max(0, LONGEST_LINE - len(line))]
                yield _whole(line).removesuffix(b"\r")
                line.clear()
            line += last[: max(0, LONGEST_LINE - len(line))]
            started = bool(last) or (started and not ended)
        if started:
            yield _whole(line)

    def _pieces(self) -> Iterator[bytes]:
        yield self._rest
        while piece := self._file.read(CHUNK):
            yield piece


def _whole(line: bytearray) -> bytes:
    """The line; one that was cut ends with a whole character of UTF-8."""
    if len(line) < LONGEST_LINE:
        return bytes(line)
    end = LONGEST_LINE
    while end > LONGEST_LINE - 4 and line[end - 1] & 0xC0 == 0x80:
        end -= 1
    return bytes(line[: end - (line[end - 1] >= 0xC0)])


def _passed(file: _Bytes, wanted: int) -> tuple[int, bytes]:
    """Goes past so many lines; how many there were, and what was read of the next."""
    passed, ends_in_line_feed, has_any = 0, True, False
    while passed < wanted:
        piece = file.read(CHUNK)
        if not piece:
            return passed + (has_any and not ends_in_line_feed), b""
        has_any, ends_in_line_feed = True, piece.endswith(b"\n")
        here = piece.count(b"\n")
        if passed + here < wanted:
            passed += here
            continue
        place = -1
        for _ in range(wanted - passed):
            place = piece.index(b"\n", place + 1)
        return wanted, piece[place + 1 :]
    return passed, b""


class _Recoded:
    """A file in another encoding, read as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read(self, size: int, /) -> bytes:
        piece = self._file.read(size)
        return self._decoder.decode(piece, not piece).encode()


def _decoded(lines: list[bytes]) -> tuple[str, ...]:
    for name in EIGHT_BITS:
        try:
            return tuple(line.decode(name) for line in lines)
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 reads every byte")

"""Reads some lines of a file of any size, in constant memory."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from mini_agent.coding.tools.text_file import EIGHT_BIT_ENCODINGS, SNIFFED_BYTES, detect_bom
from mini_agent.tools.arguments import RejectedCall

CHUNK_BYTES: Final = 1 << 20
MAX_LINE_BYTES: Final = 1 << 16
# In these a line feed is more than one byte.
WIDE_ENCODINGS: Final = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some lines of a file; `passed` is the number of the last one.

    `has_more` says whether lines follow, `status` is the file's when it was read.
    """

    lines: tuple[str, ...]
    end_line: int
    has_more: bool
    status: os.stat_result


@dataclass(frozen=True, slots=True)
class Pager:
    """Reads up to `count` lines from the line `first`, counted from 1.

    Stops after the line that passes `most` bytes. A line of more than 64 KiB is cut.
    """

    first: int
    count: int
    max_bytes: int

    def read_page(self, path: Path) -> FilePage:
        """Return the lines; raise `RejectedCall` if the file is not text."""
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            beginning = file.read(SNIFFED_BYTES)
            mark, encoding = detect_bom(beginning)
            if not mark and b"\0" in beginning:
                raise RejectedCall(f"Error reading file: {path} is not a text file.")
            file.seek(len(mark))
            if encoding in WIDE_ENCODINGS:
                return self._read(_Utf8Stream(file, encoding), status)
            return self._read(file, status)

    def _read(self, file: _ByteStream, status: os.stat_result) -> FilePage:
        passed, rest = _skip_lines(file, self.first - 1)
        lines = _LineReader(file, rest)
        page_lines: list[bytes] = []
        length = 0
        for line in lines:
            if len(page_lines) == self.count or length > self.max_bytes:
                return FilePage(
                    _decode(page_lines), passed + len(page_lines), has_more=True, status=status
                )
            page_lines.append(line)
            length += len(line)
        return FilePage(
            _decode(page_lines), passed + len(page_lines), has_more=False, status=status
        )


class _Utf8Stream:
    """A file in another encoding, read as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")

    def read(self, size: int, /) -> bytes:
        chunk = self._file.read(size)
        return self._decoder.decode(chunk, not chunk).encode()


class _ByteStream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _skip_lines(file: _ByteStream, count: int) -> tuple[int, bytes]:
    """Skip `wanted` lines; return how many there were, and what was read of the next one."""
    passed, ends_in_line_feed, has_any = 0, True, False
    while passed < count:
        chunk = file.read(CHUNK_BYTES)
        if not chunk:
            return passed + (has_any and not ends_in_line_feed), b""
        has_any, ends_in_line_feed = True, chunk.endswith(b"\n")
        here = chunk.count(b"\n")
        if passed + here < count:
            passed += here
            continue
        index = -1
        for _ in range(count - passed):
            index = chunk.index(b"\n", index + 1)
        return count, chunk[index + 1 :]
    return passed, b""


class _LineReader:
    """Lines without their ends, each cut to 64 KiB."""

    def __init__(self, file: _ByteStream, rest: bytes) -> None:
        self._file, self._rest = file, rest

    def __iter__(self) -> Iterator[bytes]:
        line, started = bytearray(), False
        for chunk in self._pieces():
            *ended, last = chunk.split(b"\n")
            for part in ended:
                line += part[: max(0, MAX_LINE_BYTES - len(line))]
                yield _whole_characters(line).removesuffix(b"\r")
                line.clear()
            line += last[: max(0, MAX_LINE_BYTES - len(line))]
            started = bool(last) or (started and not ended)
        if started:
            yield _whole_characters(line)

    def _pieces(self) -> Iterator[bytes]:
        yield self._rest
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk


def _whole_characters(line: bytearray) -> bytes:
    """Return the line; one that was cut ends with a whole character of UTF-8."""
    if len(line) < MAX_LINE_BYTES:
        return bytes(line)
    end = MAX_LINE_BYTES
    while end > MAX_LINE_BYTES - 4 and line[end - 1] & 0xC0 == 0x80:
        end -= 1
    return bytes(line[: end - (line[end - 1] >= 0xC0)])


def _decode(lines: list[bytes]) -> tuple[str, ...]:
    for name in EIGHT_BIT_ENCODINGS:
        try:
            return tuple(line.decode(name) for line in lines)
        except UnicodeDecodeError:
            continue
    raise AssertionError("Latin-1 reads every byte")

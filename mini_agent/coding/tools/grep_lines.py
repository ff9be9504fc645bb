"""What Grep shows of matches: lines in the order of their files, long ones around the match."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MAX_CHARS: Final = 40_000
MAX_COLUMNS: Final = 500
LEAD_BYTES: Final = 150
SEPARATOR: Final = "--"
POSITION: Final = re.compile(rb"(\d+)(?::(\d+):|-)")
BINARY_MESSAGE: Final = re.compile(rb"(.*): ((?:binary file matches|WARNING: ).*?)\r?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the lines or paths that were found, and a remark on what was left out."""

    lines: Sequence[str]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How a line of a match is shown; `has_path` is False where one file was searched."""

    has_path: bool
    has_number: bool
    has_context: bool

    def format(self, output: bytes, excluded: re.Pattern[str]) -> list[str]:
        """Return the lines of all files but excluded ones; files in the order of their paths."""
        files: dict[str, list[str]] = {}
        is_after_gap = False
        for line in output.split(b"\n")[:-1]:
            if line in (b"--", b"--\r"):
                is_after_gap = True
                continue
            path, text = self._parse(line)
            shown = files.setdefault(path, [])
            shown += [SEPARATOR] if shown and is_after_gap else []
            shown.append(text)
            is_after_gap = False
        visible = [files[path] for path in sorted(files) if not excluded.fullmatch(path)]
        return [*self._join(visible)]

    def _parse(self, line: bytes) -> tuple[str, str]:
        path, nul, rest = line.partition(b"\0")
        position = POSITION.match(rest) if nul else None
        if position is None:
            message = BINARY_MESSAGE.fullmatch(line)
            path, rest = message.groups() if message else (path, rest)
            name = path.decode("utf-8", "surrogateescape")
            return name, self._prefix(_readable(path), b"", b": ") + _readable(rest)
        mark = b":" if position[2] else b"-"
        text = show_line(rest[position.end() :].removesuffix(b"\r"), int(position[2] or 1))
        name = path.decode("utf-8", "surrogateescape")
        return name, self._prefix(_readable(path), position[1], mark) + text

    def _prefix(self, path: str, number: bytes, mark: bytes) -> str:
        sign = mark.decode()
        before = f"{path}{sign}" if self.has_path else ""
        return f"{before}{number.decode()}{sign}" if self.has_number and number else before

    def _join(self, files: Iterable[list[str]]) -> Iterator[str]:
        for number, lines in enumerate(files):
            if number and self.has_context:
                yield SEPARATOR
            yield from lines


def show_line(line: bytes, column: int) -> str:
    """Return a line; of one that is too long, what is around the match at `column`, from 1."""
    if len(line) <= MAX_COLUMNS:
        return _readable(line)
    start = max(0, min(column - 1 - LEAD_BYTES, len(line) - MAX_COLUMNS))
    shown = line[start : start + MAX_COLUMNS].decode("utf-8", "ignore")
    rest = len(line) - start - MAX_COLUMNS
    head = f"[... {start} bytes] " if start else ""
    return f"{head}{shown}{f' [... {rest} bytes]' if rest > 0 else ''}"


def take_page(found: Sequence[str], offset: int, limit: int, unit: str) -> Page:
    """Return `limit` lines behind the first `offset`, all for 0, within the limit of characters."""
    wanted = found[offset : offset + limit if limit else None]
    length, lines = 0, list[str]()
    for line in wanted:
        length += len(line) + 1
        if lines and length > MAX_CHARS:
            break
        lines.append(line)
    return Page(lines, describe_page(offset, len(lines), len(found), unit))


def describe_page(offset: int, shown: int, total: int, unit: str, *, from_one: bool = False) -> str:
    """Return which of all are shown, and how to go on; empty where all are.

    The argument to go on with is the number to leave out, or `from_one` of the first to show.
    """
    if shown == total:
        return ""
    if not shown:
        return f"there are only {total} {unit}; offset {offset} is behind the last"
    end = offset + shown
    which = f"these are {unit} {offset + 1} to {end} of {total}"
    return which if end >= total else f"there is more: {which}; offset {end + from_one} goes on"


def _readable(text: bytes) -> str:
    return text.decode("utf-8", "replace")

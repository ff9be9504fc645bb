"""Searches files without ripgrep, and prints matches as `ContentSearch` says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mini_agent.coding.tools.content_search import ContentSearch
from mini_agent.coding.tools.file_types import FILE_TYPES
from mini_agent.coding.tools.file_walk import FileWalk, NameFilter
from mini_agent.coding.tools.ripgrep import MAX_OUTPUT_BYTES, TIMEOUT_S, RipgrepResult
from mini_agent.coding.tools.rust_regex import compile_pattern
from mini_agent.coding.tools.text_file import detect_bom
from mini_agent.tools.arguments import RejectedCall

if TYPE_CHECKING:
    import regex

MAX_FILE_BYTES: Final = 64 << 20
# One line that makes the expression backtrack must not hold the search.
LINE_TIMEOUT_S: Final = 5.0


async def search_files(search: ContentSearch, timeout_s: float) -> RipgrepResult:
    """Search in a thread for at most `timeout_s`.

    Raise `RejectedCall` for an invalid pattern, glob or type.
    """
    run = _Search(search, _compile(search), _name_filter(search), threading.Event())
    task = asyncio.create_task(asyncio.to_thread(run.run))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(task)
    except TimeoutError:
        run.stopped.set()
        result = await task
        return replace(result, remark=f"the search was ended after {timeout_s:g} s")
    except asyncio.CancelledError:
        run.stopped.set()
        raise


@dataclass(frozen=True, slots=True)
class _Search:
    search: ContentSearch
    pattern: regex.Pattern[str]
    names: NameFilter
    stopped: threading.Event

    def run(self) -> RipgrepResult:
        output, remark, is_first = bytearray(), "", True
        for path in self._paths():
            if self.stopped.is_set() or len(output) > MAX_OUTPUT_BYTES:
                remark = remark or f"the search was ended after {len(output) >> 20} MB"
                break
            try:
                found = b"".join(self._search_file(path))
            except (OSError, TimeoutError) as error:
                why = error.strerror if isinstance(error, OSError) else "the pattern took too long"
                remark = f"not searched: {path}: {why}"
                continue
            if found and not is_first and self._has_context:
                output += b"--\n"
            output += found
            is_first = is_first and not found
        return RipgrepResult(bytes(output), remark)

    @property
    def _has_context(self) -> bool:
        return self.search.mode == "content" and bool(self.search.before or self.search.after)

    def _paths(self) -> Iterable[str]:
        if not self.search.target.is_dir():
            return (str(self.search.target),)
        walk = FileWalk(self.names, self.search.names_hidden, self.search.searches_all)
        return walk.files(self.search.target)

    def _search_file(self, path: str) -> Iterator[bytes]:
        name = path.encode("utf-8", "surrogateescape")
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES)
        mark, encoding = detect_bom(content)
        nul = -1 if mark and encoding != "utf-8" else content.find(b"\0")
        if nul >= 0 and self.search.target.is_dir() and not self.search.searches_all:
            return
        text = content[len(mark) :].decode(encoding, "replace" if mark else "surrogateescape")
        if self.search.is_multiline:
            text = text.replace("\r\n", "\n")
        matches = self._matches(text)
        first = next(matches, None)
        if first is None:
            return
        if self.search.mode == "files_with_matches":
            yield name + b"\0"
        elif self.search.mode == "count":
            yield b"%s\0%d\n" % (name, self._count(text))
        elif nul >= 0:
            yield b'%s: binary file matches (found "\\0" byte around offset %d)\n' % (name, nul)
        else:
            yield from self._show(name, _lines(text), dict([first, *matches]))

    def _count(self, text: str) -> int:
        """Return the number of lines that match, or of matches that may go over lines."""
        if self.search.is_multiline:
            return sum(1 for _ in self.pattern.finditer(text, timeout=TIMEOUT_S))
        return sum(1 for _ in self._matches(text))

    def _matches(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the index of each line of a match, and the column where it begins there."""
        if self.search.is_multiline:
            yield from self._multiline_matches(text)
            return
        for number, line in enumerate(_lines(text)):
            found = self.pattern.search(line, timeout=LINE_TIMEOUT_S)
            if found:
                yield number, _bytes(line[: found.start()])

    def _multiline_matches(self, text: str) -> Iterator[tuple[int, int]]:
        number = position = 0
        for found in self.pattern.finditer(text, timeout=TIMEOUT_S):
            number += text.count("\n", position, found.start())
            position = found.start()
            column = _bytes(text[text.rfind("\n", 0, position) + 1 : position])
            for each in range(found[0].removesuffix("\n").count("\n") + 1):
                yield number + each, 0 if each else column

    def _show(self, name: bytes, lines: list[str], matches: dict[int, int]) -> Iterator[bytes]:
        last = -1
        for number in self._shown_lines(matches, len(lines)):
            if last >= 0 and number > last + 1 and self._has_context:
                yield b"--\n"
            last = number
            column = b":%d:" % (matches[number] + 1) if number in matches else b"-"
            line = lines[number].encode("utf-8", "surrogateescape")
            yield b"%s\0%d%s%s\n" % (name, number + 1, column, line)

    def _shown_lines(self, matches: Iterable[int], count: int) -> list[int]:
        around = range(-self.search.before, self.search.after + 1)
        shown = {number + offset for number in matches for offset in around}
        return sorted(number for number in shown if 0 <= number < count)


def _compile(search: ContentSearch) -> regex.Pattern[str]:
    return compile_pattern(
        search.pattern, ignores_case=search.ignores_case, is_multiline=search.is_multiline
    )


def _name_filter(search: ContentSearch) -> NameFilter:
    if search.glob:
        if any("[" in glob and "]" not in glob for glob in search.globs):
            raise RejectedCall(f"Error: error parsing glob {search.glob!r}: a [ is not closed")
        return NameFilter.parse(search.globs)
    if not search.file_type:
        return NameFilter((), ())
    if search.file_type not in FILE_TYPES:
        raise RejectedCall(
            f"Error: unrecognized file type: {search.file_type}; without ripgrep there are: "
            f"{', '.join(FILE_TYPES)}"
        )
    return NameFilter.parse(FILE_TYPES[search.file_type])


def _lines(text: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines and not lines[-1] else lines


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))

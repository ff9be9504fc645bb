"""One text put in the place of another, in a file whose lines end in whatever way."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass

from mini_agent.coding.tools.text_file import TextFile
from mini_agent.tools.arguments import NotRun

SAME = "No changes to make: old_string and new_string are exactly the same."


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is replaced by what: once, where it stands once, or wherever it stands."""

    old: str
    new: str
    everywhere: bool = False

    def made_in(self, file: TextFile) -> TextFile:
        """The file afterwards; `NotRun` says why there is nothing to replace."""
        if self.old == self.new:
            raise NotRun(SAME)
        ends = _LineEnds(file)
        old, new = _line_feeds(self.old), _line_feeds(self.new)
        places = [found.start() for found in re.finditer(re.escape(old), ends.shown)]
        if not places:
            raise NotRun(f"String to replace not found in file.\nString: {self.old}\n")
        if len(places) > 1 and not self.everywhere:
            raise NotRun(_ambiguous(len(places), self.old))
        return file.holding(ends.spliced(places, len(old), new))

    def first_line_in(self, file: TextFile) -> int:
        """The line, from 1, where the first text to be replaced begins."""
        shown = file.shown
        return shown.count("\n", 0, max(0, shown.find(_line_feeds(self.old)))) + 1


class _LineEnds:
    """A text with line feeds alone, and where its places are in the file's own text."""

    def __init__(self, file: TextFile) -> None:
        self.shown = file.shown
        self._file = file
        pairs = (found.start() for found in re.finditer("\r\n", file.text))
        self._pairs = [place - before for before, place in enumerate(pairs)]

    def spliced(self, places: list[int], length: int, new: str) -> str:
        text, parts, done = self._file.text, list[str](), 0
        for place in places:
            start, end = self._own(place), self._own(place + length)
            parts += [text[done:start], self._ended_as(text[start:end], new)]
            done = end
        return "".join([*parts, text[done:]])

    def _own(self, place: int) -> int:
        return place + bisect_left(self._pairs, place)

    def _ended_as(self, old: str, new: str) -> str:
        has_crlf = "\r\n" in old if "\n" in old else self._file.has_crlf
        return new.replace("\n", "\r\n") if has_crlf else new


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n")


def _ambiguous(count: int, old: str) -> str:
    return (
        f"Found {count} matches of the string to replace, but replace_all is false.\n"
        "To replace all occurrences, set replace_all to true.\n"
        "To replace only one occurrence, please provide more context to uniquely identify the "
        f"instance.\nString: {old}\n"
    )

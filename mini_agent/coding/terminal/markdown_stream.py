"""Prints Markdown as it streams in: wraps at words, keeps the marks and styles them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from rich.cells import cell_len
from rich.text import Text

# Scripts without spaces between words, which may wrap anywhere.
UNSPACED: Final = "\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef"
PART: Final = re.compile(rf"\n|[^\S\n]+|[{UNSPACED}]|[^\s{UNSPACED}]+")
MARK: Final = re.compile(r"(`+|\*\*)")
ITEM: Final = re.compile(r"[-*+]|\d{1,3}[.)]")
HEADING: Final = re.compile(r"#{1,6}")
FENCE: Final = ("```", "~~~")
CODE, STRONG = "cyan", "bold"


class MarkdownStream:
    """Writes words once they are complete; lines of code and tables are never wrapped."""

    def __init__(
        self, write: Callable[[Text], None], width: Callable[[], int], start_column: int
    ) -> None:
        self._write, self._width, self._column = write, width, start_column
        self._word, self._blanks = "", ""
        self._out = Text()
        self._is_in_code = self._is_in_word = False
        self._begin_line()

    def add(self, piece: str) -> None:
        """Add a piece; a word at its end is held back until the next one."""
        parts = PART.findall(self._word + piece)
        self._word = parts.pop() if parts and not parts[-1].isspace() else ""
        for part in parts:
            self._append(part)
        if cell_len(self._word) > self._width():
            self._append(self._word)
            self._word, self._is_in_word = "", True
        self._flush()

    def close(self) -> None:
        """Write what was held back."""
        if self._word:
            self._append(self._word)
        self._word = self._blanks = ""
        self._flush()

    def _flush(self) -> None:
        if self._out:
            self._write(self._out)
            self._out = Text()

    def _begin_line(self) -> None:
        self._indent, self._is_at_start, self._is_raw = 0, True, self._is_in_code
        self._line_style, self._open = "", ""

    def _append(self, part: str) -> None:
        if part.isspace():
            self._is_in_word = False
        if part == "\n":
            self._out.append("\n")
            self._blanks, self._column = "", 0
            self._begin_line()
        elif part.isspace():
            self._blanks += part
        else:
            self._append_word(part)

    def _append_word(self, word: str) -> None:
        if self._is_at_start:
            self._classify_line(word)
        width, own, gap = self._width(), cell_len(word), cell_len(self._blanks)
        fits = self._column + gap + own <= width
        # A word wider than a line is wrapped by the terminal, so that it can be copied whole.
        if fits or self._is_raw or self._is_in_word or self._indent + own > width:
            self._out.append(self._blanks)
            self._column += gap + own
        else:
            self._out.append(f"\n{' ' * self._indent}")
            self._column = self._indent + own
        self._column = self._column if self._column <= width else self._column % width
        for piece, style in self._styled(word):
            self._out.append(piece, style)
        self._blanks = ""

    def _classify_line(self, word: str) -> None:
        """Set the style and the indent of the line by its first word."""
        self._is_at_start, is_fence = False, word.startswith(FENCE)
        if is_fence:
            self._is_in_code = not self._is_in_code
        self._is_raw = is_fence or self._is_in_code or word.startswith("|")
        if is_fence or self._is_in_code:
            self._line_style = CODE
        elif HEADING.fullmatch(word):
            self._line_style = STRONG
        is_item = ITEM.fullmatch(word)
        self._indent = cell_len(self._blanks) + (len(word) + 1 if is_item else 0)

    def _styled(self, word: str) -> Iterator[tuple[str, str]]:
        for piece in [word] if self._line_style else MARK.split(word):
            style = {"": "", "**": STRONG}.get(self._open, CODE)
            if MARK.fullmatch(piece) and self._open in ("", piece):
                self._open = "" if self._open else piece
                style = STRONG if piece == "**" else CODE
            yield piece, self._line_style or style

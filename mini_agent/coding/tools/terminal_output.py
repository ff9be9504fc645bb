"""What a terminal would show of a program's output, as plain text: the last state of each line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

# Lines above this many cannot be reached by the cursor any more, and are done.
MAX_SCREEN_LINES: Final = 120
MAX_COLUMNS: Final = 2_000
# A longer line is no progress bar.
MAX_LINE_CHARS: Final = 1 << 16
MAX_PENDING_CHARS: Final = 4_096
PLAIN: Final = re.compile(r"[^\x1b\x9b\r\b\a\x0e\x0f\x7f]*")
TOKEN: Final = re.compile(
    r"(?P<text>[^\x1b\x9b\r\n\b\a\x0e\x0f\x7f]+)"
    r"|(?P<control>[\r\n\b\a\x0e\x0f\x7f])"
    r"|(?:\x1b\[|\x9b)(?P<parameters>[0-?]*)[ -/]*(?P<command>[@-~])"
    # Titles, links and other strings, up to their end.
    r"|\x1b[\]PX^_](?:[^\x07\x1b\n]|\x1b(?!\\))*?(?:\x07|\x1b\\|(?=\n))"
    r"|\x1b[ -/]*[0-~]"
    r"|(?P<broken>[\x1b\x9b])"
)
# The beginning of an escape sequence whose rest has not come yet.
UNFINISHED: Final = re.compile(
    r"(?:\x1b|\x1b\[[0-?]*[ -/]*|\x9b[0-?]*[ -/]*|\x1b[ -/]+"
    r"|\x1b[\]PX^_](?:[^\x07\x1b\n]|\x1b(?!\\))*?)\Z"
)


@dataclass(slots=True)
class TerminalOutput:
    """Turns pieces of output into lines without escapes; overwritten lines are lost.

    `feed` returns what can no longer change, `finish` what is left.
    """

    _lines: list[str] = field(default_factory=lambda: [""])
    _row: int = 0
    # Whether the cursor is at the beginning of its line, so that the next text replaces it.
    _replaces: bool = True
    _pending: str = ""

    @property
    def current_line(self) -> str:
        """Return the line that the cursor is in."""
        return self._lines[self._row]

    def recent_lines(self, count: int) -> list[str]:
        """Return the last lines that can still change."""
        return self._lines[-count:]

    def feed(self, piece: str) -> str:
        """Take a piece, and return the text that is done."""
        text = self._pending + piece
        self._pending = ""
        if self._is_at_end and PLAIN.fullmatch(text):
            self._append(text)
            return self._take_done()
        unfinished = UNFINISHED.search(text)
        if unfinished and len(unfinished[0]) < MAX_PENDING_CHARS:
            self._pending = unfinished[0]
            text = text[: unfinished.start()]
        for token in TOKEN.finditer(text):
            self._apply(token)
        return self._take_done()

    def finish(self) -> str:
        """Return what the screen shows, and begin anew in the same line."""
        # A line feed behind a shown line is output too.
        text = "\n".join(self._lines)
        self._lines, self._row, self._replaces = [""], 0, True
        return text

    @property
    def _is_at_end(self) -> bool:
        is_last = self._row == len(self._lines) - 1
        return is_last and not (self._replaces and self.current_line)

    def _append(self, text: str) -> None:
        first, *others = text.split("\n")
        self._lines[-1] += first
        self._lines += others
        self._row = len(self._lines) - 1
        self._replaces = not self.current_line

    def _take_done(self) -> str:
        if len(self.current_line) > MAX_LINE_CHARS and self._is_at_end:
            return self.finish()
        count = min(len(self._lines) - MAX_SCREEN_LINES, self._row)
        if count <= 0:
            return ""
        done, self._lines = self._lines[:count], self._lines[count:]
        self._row -= count
        return "".join(f"{line}\n" for line in done)

    def _apply(self, token: re.Match[str]) -> None:
        if token["text"]:
            self._print(token["text"])
        elif token["control"]:
            self._control(token["control"])
        elif token["command"]:
            self._command(token["command"], token["parameters"])

    def _print(self, text: str) -> None:
        self._lines[self._row] = text if self._replaces else self.current_line + text
        self._replaces = False

    def _control(self, sign: str) -> None:
        if sign == "\n":
            self._move(self._row + 1)
            self._replaces = True
        elif sign == "\r":
            self._replaces = True
        elif sign == "\b":
            self._lines[self._row] = self.current_line[:-1]

    def _command(self, command: str, parameters: str) -> None:
        first = parameters.split(";", maxsplit=1)[0]
        number = int(first) if first.isdecimal() and len(first) < 5 else 0
        if command in "AF":
            self._move(max(0, self._row - max(1, number)))
            self._replaces = self._replaces or command == "F"
        elif command in "BE":
            self._move(self._row + min(max(1, number), MAX_SCREEN_LINES))
            self._replaces = self._replaces or command == "E"
        elif command in "CG":
            self._set_column(number, is_absolute=command == "G")
        elif command == "K":
            self._erase_line(number)
        elif command in "Hf":
            self._move(max(0, min(max(1, number), MAX_SCREEN_LINES) - 1))
            self._replaces = True
        elif command == "J":
            self._erase_screen(number)

    def _move(self, row: int) -> None:
        self._lines += [""] * (row + 1 - len(self._lines))
        self._row = row

    def _set_column(self, number: int, *, is_absolute: bool) -> None:
        here = 0 if self._replaces else len(self.current_line)
        column = max(0, number - 1) if is_absolute else here + max(1, number)
        column = min(column, MAX_COLUMNS)
        self._replaces = column == 0
        if column:
            self._lines[self._row] = self.current_line[:column].ljust(column)

    def _erase_line(self, number: int) -> None:
        if number == 2 or (number == 0 and self._replaces):
            self._lines[self._row] = ""

    def _erase_screen(self, number: int) -> None:
        if number in (2, 3):
            self._lines, self._row = [""], 0
        else:
            del self._lines[self._row + 1 :]
            self._erase_line(number)

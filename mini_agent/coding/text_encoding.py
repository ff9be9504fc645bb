"""Text from and to streams in any encoding: read as declared, written without loss or error."""

from __future__ import annotations

import codecs
import io
import os
import sys
from dataclasses import dataclass
from typing import BinaryIO, Final, TextIO

UTF_8: Final = "utf-8"
BYTE_ORDER_MARKS: Final = (
    # The longer ones first: UTF-32's begins like UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that text in UTF-8 does not hold: other encodings use them for letters or to switch.
FOREIGN_BYTES: Final = (b"\x00", b"\x1b")
MIN_NUL_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text, and a sentence about its encoding where that was guessed; empty otherwise."""

    text: str
    note: str = ""


def decode_text(content: bytes, declared: str = UTF_8) -> DecodedText:
    """Decode bytes by their mark, as UTF-8, or as `declared`; what is neither, with replacements.

    UTF-8 goes before the declared encoding: a text in another one is hardly ever valid UTF-8.
    """
    encoding = find_mark(content)
    if encoding:
        return DecodedText(content.decode(encoding, "replace"))
    may_be_utf_8 = not any(each in content for each in FOREIGN_BYTES) or _is_utf_8(declared)
    wide = _guess_wide(content)
    if wide:
        return DecodedText(content.decode(wide, "replace"), f"it was read as {wide.upper()}")
    for each in (UTF_8, declared) if may_be_utf_8 else (declared, UTF_8):
        try:
            return DecodedText(content.decode(each))
        except (UnicodeDecodeError, LookupError):
            continue
    text = content.decode(UTF_8, "replace")
    return DecodedText(
        text,
        f"it is no text in UTF-8: {text.count(chr(0xFFFD))} places were replaced by U+FFFD "
        "(PYTHONIOENCODING names another encoding)",
    )


def find_mark(content: bytes) -> str:
    """Find the encoding that a byte order mark names; empty without one."""
    return next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "")


def decode_argument(argument: str) -> str:
    """Decode an argument of the command line that was not in the encoding of the locale."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return decode_text(os.fsencode(argument), "latin-1").text
    return argument


def declared_encoding() -> str:
    """Return the encoding of standard input, by the locale or PYTHONIOENCODING."""
    return getattr(sys.stdin, "encoding", None) or UTF_8


class InputLines:
    """The lines of standard input, each decoded by itself; `note` is about the newest one."""

    def __init__(self, stream: BinaryIO, declared: str) -> None:
        self._stream, self._declared = stream, declared
        self._wide: io.TextIOWrapper | None = None
        self._is_first = True
        self.note = ""

    def read(self) -> str:
        """Read the next line with its end; empty at the end of the input."""
        if self._is_first:
            self._is_first = False
            self._open_wide()
        if self._wide is not None:
            return self._wide.readline()
        decoded = decode_text(self._stream.readline(), self._declared)
        self.note = decoded.note
        return decoded.text

    def _open_wide(self) -> None:
        """Decode the stream as a whole where its mark says that a line feed is not one byte."""
        peek = getattr(self._stream, "peek", None)
        encoding = find_mark(peek(4)[:4]) if peek is not None else ""
        if encoding.startswith(("utf-16", "utf-32")):
            self._wide = io.TextIOWrapper(self._stream, encoding, "replace", newline="\n")


def prepare_output() -> None:
    """Let standard output and error escape what their encodings lack, and be there at all."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            # Closed by the caller; its place would go to the next file that is opened.
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def is_unicode(stream: TextIO) -> bool:
    """Tell whether `stream` takes every character."""
    return _is_utf_8(stream.encoding or "")


def _is_utf_8(name: str) -> bool:
    try:
        return codecs.lookup(name).name == UTF_8
    except LookupError:
        return False


def _guess_wide(content: bytes) -> str:
    """Guess UTF-16 without a mark by its zero bytes: every other one, in western text."""
    half = len(content) // 2
    if half < 2 or b"\x00" not in content:
        return ""
    even, odd = content[::2].count(0) / half, content[1::2].count(0) / half
    if max(even, odd) < MIN_NUL_SHARE or min(even, odd) > MIN_NUL_SHARE / 10:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"

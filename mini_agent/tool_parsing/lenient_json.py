"""Parses JSON leniently: Python's literals, single quotes, trailing commas, comments, cut text.

Strings may be quoted as in JSON, as in Python, or with their own quote unescaped inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue

ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "/": "/",
    "`": "`",
}
ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
SURROGATE: Final = re.compile("[\ud800-\udfff]")
MAX_LOOSE_STRING_CHARS: Final = 20_000
CLOSING_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019"}
PLAIN_STRING: Final = {
    quote: re.compile(
        rf"{quote}([^{closing}\\]*+(?:\\.[^{closing}\\]*+)*+){closing}",
        re.DOTALL,
    )
    for quote, closing in CLOSING_QUOTES.items()
}
TRIPLE_QUOTED: Final = {
    quote: re.compile(rf"{quote}(.*?){quote}", re.DOTALL) for quote in ('"""', "'''", "```")
}
# What follows a quote that ends a string, where quotes also stand inside the string.
ENDS_IN_OBJECT: Final = (
    r"(?=\s{0,99}(?:\}\s{0,99}(?:[{}\],<`]|\Z|\n)"
    r"|,\s{0,99}[\"'][\w. -]{1,40}[\"']\s{0,9}:))"
)
ENDS_IN_ARRAY: Final = r"(?=\s{0,99}(?:\]\s{0,99}(?:[}\],<`]|\Z|\n)|,\s{0,99}[\"'{\[]))"
MAX_DEPTH: Final = 60
SPACE: Final = re.compile(r"(?:\s++|//[^\n]*+|#[^\n]*+|/\*.{0,500}?\*/)*+", re.DOTALL)
NUMBER: Final = re.compile(r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
WORD: Final = re.compile(r"[A-Za-z_][\w.-]*")
LITERALS: Final[dict[str, JsonValue]] = {
    "true": True,
    "false": False,
    "null": None,
    "True": True,
    "False": False,
    "None": None,
    "undefined": None,
    "nil": None,
}
KEY_SEPARATOR: Final = re.compile(r":|=>?")
NEXT_KEY: Final = re.compile(r"[\"'][\w. -]{1,40}[\"']\s*:")
NUMBER_PREFIXES: Final = ("-", "+", ".", "-.")
MAX_NUMBER_CHARS: Final = 40


class LenientJsonError(ValueError):
    """There is no value; `position` is the index of the offending character."""

    def __init__(self, position: int) -> None:
        super().__init__(f"not readable at character {position}")
        self.position = position


class UnexpectedEnd(Exception):
    """The text ended inside a value."""


@dataclass(frozen=True, slots=True)
class ParsedJson:
    """A value, the index where its text ends, and what is missing of it.

    `unclosed` has the `id()` of each object and list whose closing bracket is missing; with
    `is_cut` the text ended inside a string or before a value.
    """

    value: JsonValue
    end: int
    unclosed: frozenset[int] = frozenset()
    is_cut: bool = False
    has_inner_quotes: bool = False

    def is_whole(self, part: JsonValue) -> bool:
        """Tell whether nothing of `part` can be missing."""
        return not isinstance(part, dict | list) or id(part) not in self.unclosed


def parse_json(text: str, start: int = 0, end: int | None = None) -> ParsedJson:
    """Parse the value at `start` and ignore what follows; raises `LenientJsonError`."""
    end = len(text) if end is None else end
    try:
        return _read(JsonReader(text, start, end))
    except LenientJsonError as first:
        try:
            return _read(JsonReader(text, start, end, inner_quotes=True))
        except LenientJsonError:
            raise first from None


def _read(reader: JsonReader) -> ParsedJson:
    start = reader.position
    try:
        value = reader.value()
    except UnexpectedEnd:
        raise LenientJsonError(start) from None
    return ParsedJson(
        value, reader.position, frozenset(reader.unclosed), reader.is_cut, reader.inner_quotes
    )


def parse_bounded_json(text: str, start: int, limit: int | None) -> ParsedJson:
    """Parse the value at `start`; a marker at `limit` closes it if nothing else does.

    Brackets that are missing before the marker do not mean that the text was cut.
    """
    try:
        read = parse_json(text, start)
    except LenientJsonError:
        if limit is None:
            raise
    else:
        if limit is None or not read.unclosed:
            return read
    read = parse_json(text, start, limit)
    return read if read.is_cut else replace(read, unclosed=frozenset())


@dataclass(slots=True)
class JsonReader:
    """Reads values from `position` on; a value that ends early keeps what was read."""

    text: str
    position: int
    end: int
    inner_quotes: bool = False
    is_cut: bool = False
    unclosed: set[int] = field(default_factory=set)
    _depth: int = 0

    def peek(self) -> str:
        """The next character that is neither space nor comment; raises `UnexpectedEnd`."""
        space = SPACE.match(self.text, self.position, self.end)
        self.position = space.end() if space else self.position
        if self.position >= self.end:
            raise UnexpectedEnd
        return self.text[self.position]

    def value(self, closers: str = ENDS_IN_OBJECT) -> JsonValue:
        """Read one value of any kind."""
        next_one = self.peek()
        if next_one in "{[":
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise LenientJsonError(self.position)
            value = self._object() if next_one == "{" else self._list()
            self._depth -= 1
            return value
        if next_one in CLOSING_QUOTES:
            return self.string(closers)
        return self._scalar()

    def string(self, closers: str = "") -> str:
        """Read one quoted string."""
        loose = self.inner_quotes and closers
        parsed = (
            parse_loose_string(self.text, self.position, self.end, closers)
            if loose
            else parse_plain_string(self.text, self.position, self.end)
        )
        if parsed is None:
            self._cut()
            raise UnexpectedEnd
        value, self.position = parsed
        return value

    def _object(self) -> JsonValue:
        read: dict[str, JsonValue] = {}
        self.position += 1
        try:
            while self._more("}"):
                key = self._key()
                try:
                    read[key] = self.value()
                except UnexpectedEnd:
                    self._cut()
                    raise
        except UnexpectedEnd:
            self.unclosed.add(id(read))
        return read

    def _list(self) -> JsonValue:
        read: list[JsonValue] = []
        self.position += 1
        try:
            while self._more("]"):
                read.append(self.value(ENDS_IN_ARRAY))
        except UnexpectedEnd:
            self.unclosed.add(id(read))
        return read

    def _more(self, closing: str) -> bool:
        """Tell whether another item follows; skips the commas before it."""
        opened = self.text[self.position - 1] in "{["
        has_comma = opened
        while (next_one := self.peek()) == ",":
            has_comma = True
            self.position += 1
        if next_one == closing:
            self.position += 1
            return False
        if not has_comma and not NEXT_KEY.match(self.text, self.position, self.end):
            raise LenientJsonError(self.position)
        return True

    def _key(self) -> str:
        key = self.string() if self.peek() in CLOSING_QUOTES else self._matched(WORD)
        self.peek()
        self._matched(KEY_SEPARATOR)
        return key.strip()

    def _scalar(self) -> JsonValue:
        if self._depth and self.text[self.position : self.end] in NUMBER_PREFIXES:
            self._cut()
            raise UnexpectedEnd
        number = NUMBER.match(self.text, self.position, self.end)
        written = number[0] if number else self._matched(WORD, move=False)
        stop = self.position + len(written)
        if self._depth and stop == self.end:
            self._cut()
            raise UnexpectedEnd
        value = _parse_number(written, self.position) if number else self._word(written)
        self.position = stop
        return value

    def _word(self, written: str) -> JsonValue:
        if written not in LITERALS:
            raise LenientJsonError(self.position)
        return LITERALS[written]

    def _matched(self, pattern: re.Pattern[str], *, move: bool = True) -> str:
        match = pattern.match(self.text, self.position, self.end)
        if match is None:
            raise LenientJsonError(self.position)
        if move:
            self.position = match.end()
        return match[0]

    def _cut(self) -> None:
        self.is_cut = True
        self.position = self.end


def _parse_number(written: str, position: int) -> JsonValue:
    if len(written) > MAX_NUMBER_CHARS:
        raise LenientJsonError(position)
    plain = written.replace("_", "")
    return int(plain) if re.fullmatch(r"[-+]?\d+", plain) else float(plain)


def parse_plain_string(text: str, start: int, end: int) -> tuple[str, int] | None:
    """Parse the string at `start`; returns it and its end, None if it is never closed."""
    triple = TRIPLE_QUOTED.get(text[start : start + 3])
    match = (triple or PLAIN_STRING[text[start]]).match(text, start, end)
    return (unescape(match[1]), match.end()) if match else None


def parse_loose_string(text: str, start: int, end: int, closers: str) -> tuple[str, int] | None:
    """The same for a string with its own quote unescaped inside; `closers` must follow."""
    closing = re.compile(rf"(?<!\\){CLOSING_QUOTES[text[start]]}{closers}")
    match = closing.search(text, start + 1, min(end, start + MAX_LOOSE_STRING_CHARS))
    return (unescape(text[start + 1 : match.start()]), match.end()) if match else None


def unescape(raw: str) -> str:
    """Resolve JSON's escapes in `raw`; a backslash that escapes nothing stays."""
    if "\\" not in raw:
        return raw
    resolved = ESCAPE.sub(_unescape_one, raw)
    if not SURROGATE.search(resolved):
        return resolved
    return resolved.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape_one(escape: re.Match[str]) -> str:
    escaped = escape[1]
    if len(escaped) > 1:
        return chr(int(escaped[1:], 16))
    return ESCAPES.get(escaped, escape[0])

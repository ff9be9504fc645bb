"""Changes as a patch that `git apply` takes, binary files included."""

from __future__ import annotations

import base64
import difflib
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.coding.sandbox.entries import Entry

# Beyond it, comparing line by line takes too long.
MAX_COMPARED_LINES: Final = 6000
CONTEXT_LINES: Final = 3
NO_FILE: Final = b"/dev/null"
NO_NEWLINE: Final = b"\\ No newline at end of file\n"
SNIFFED_BYTES: Final = 8000
BASE85_BYTES: Final = 52
# Tags mark the words of the program to the model.
QUOTED: Final = frozenset('"\\<>')
LETTERS: Final = 26


@dataclass(frozen=True, slots=True)
class FileChange:
    """What is there now, on the host, and what the sandbox has in its place."""

    before: Entry
    after: Entry

    @property
    def path(self) -> str:
        """The path, relative to the project."""
        return self.after.path

    @property
    def letter(self) -> str:
        """Return A for added, D for deleted, M for modified."""
        if self.before.kind == "gone":
            return "A"
        return "D" if self.after.kind == "gone" else "M"

    @property
    def is_none(self) -> bool:
        """Whether both are the same."""
        same_mode = self.before.facts.is_executable == self.after.facts.is_executable
        return (
            self.before.kind == self.after.kind
            and _content(self.before) == _content(self.after)
            and (same_mode or self.after.kind != "file")
        )


def format_patch(changes: Iterable[FileChange]) -> bytes:
    """Format the changes as one patch."""
    return b"".join(piece for change in changes for piece in _file_patch(change))


def format_summary(changes: Sequence[FileChange], most: int = 20) -> str:
    """Return the paths with their letters, a line each; of many, how many more there are."""
    lines = [f"{change.letter} {quote_path(change.path)}" for change in changes[:most]]
    more = len(changes) - most
    return "\n".join((*lines, *([f"... and {more} more"] if more > 0 else [])))


def quote_path(path: str) -> str:
    """Quote a path as git does, where it holds quotes, tags or what is not printable."""
    encoded = path.encode("utf-8", "surrogateescape")
    if path.isprintable() and not QUOTED & {*path}:
        return path
    shown = (
        chr(byte) if 32 <= byte < 127 and chr(byte) not in QUOTED else f"\\{byte:03o}"
        for byte in encoded
    )
    return f'"{"".join(shown)}"'


def _content(entry: Entry) -> bytes:
    if entry.kind == "link":
        return entry.facts.target.encode("utf-8", "surrogateescape")
    return entry.content


def _file_patch(change: FileChange) -> Iterator[bytes]:
    before, after = change.before, change.after
    if "folder" in (before.kind, after.kind):
        return
    if _mode(before)[:3] != _mode(after)[:3] and "gone" not in (before.kind, after.kind):
        # A link in the place of a file is one that goes and one that comes.
        gone = Entry(type(before.facts)(change.path, "gone"))
        yield from _file_patch(FileChange(before, gone))
        yield from _file_patch(FileChange(gone, after))
        return
    old, new = _name("a/", change.path), _name("b/", change.path)
    yield b"diff --git " + old + b" " + new + b"\n"
    yield from _mode_lines(before, after)
    if _content(before) != _content(after):
        names = (
            NO_FILE if before.kind == "gone" else old,
            NO_FILE if after.kind == "gone" else new,
        )
        yield from _content_patch(_content(before), _content(after), names)


def _name(prefix: str, path: str) -> bytes:
    return quote_path(f"{prefix}{path}").encode("utf-8", "surrogateescape")


def _mode(entry: Entry) -> str:
    if entry.kind == "link":
        return "120000"
    return "100755" if entry.facts.is_executable else "100644"


def _mode_lines(before: Entry, after: Entry) -> Iterator[bytes]:
    if before.kind == "gone":
        yield f"new file mode {_mode(after)}\n".encode()
    elif after.kind == "gone":
        yield f"deleted file mode {_mode(before)}\n".encode()
    elif _mode(before) != _mode(after):
        yield f"old mode {_mode(before)}\nnew mode {_mode(after)}\n".encode()


def _content_patch(old: bytes, new: bytes, names: tuple[bytes, bytes]) -> Iterator[bytes]:
    if b"\0" in old[:SNIFFED_BYTES] + new[:SNIFFED_BYTES]:
        yield f"index {_blob_id(old, names[0])}..{_blob_id(new, names[1])}\n".encode()
        yield from (b"GIT binary patch\n", _literal(new), _literal(old))
        return
    yield b"--- " + names[0] + b"\n+++ " + names[1] + b"\n"
    yield from _hunks(_lines(old), _lines(new))


def _blob_id(content: bytes, name: bytes) -> str:
    """Return git's name for the content, without which it applies no binary patch."""
    if name == NO_FILE:
        return "0" * 40
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def _lines(content: bytes) -> list[bytes]:
    lines = content.split(b"\n")
    rest = lines.pop()
    return [line + b"\n" for line in lines] + ([rest] if rest else [])


def _hunks(old: list[bytes], new: list[bytes]) -> Iterator[bytes]:
    for group in _groups(old, new):
        (_, old_start, _, new_start, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        ranges = (_range(old_start, old_end), _range(new_start, new_end))
        yield f"@@ -{ranges[0]} +{ranges[1]} @@\n".encode()
        for tag, first, last, new_first, new_last in group:
            if tag == "equal":
                yield from _marked(b" ", old[first:last])
            else:
                yield from _marked(b"-", old[first:last])
                yield from _marked(b"+", new[new_first:new_last])


def _groups(old: list[bytes], new: list[bytes]) -> Iterable[list[tuple[str, int, int, int, int]]]:
    if len(old) + len(new) <= MAX_COMPARED_LINES:
        # Latin-1 keeps every byte, and SequenceMatcher only compares.
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        return list(matcher.get_grouped_opcodes(CONTEXT_LINES))
    return [_one_group(old, new)]


def _one_group(old: list[bytes], new: list[bytes]) -> list[tuple[str, int, int, int, int]]:
    """Replace all between the first and the last line that differ."""
    shorter = min(len(old), len(new))
    head = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - head
    tail = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    start, ends = max(0, head - CONTEXT_LINES), (len(old) - tail, len(new) - tail)
    after = min(tail, CONTEXT_LINES)
    return [
        ("equal", start, head, start, head),
        ("replace", head, ends[0], head, ends[1]),
        ("equal", ends[0], ends[0] + after, ends[1], ends[1] + after),
    ]


def _range(start: int, end: int) -> str:
    length = end - start
    return f"{start + 1 if length else start},{length}"


def _marked(mark: bytes, lines: Iterable[bytes]) -> Iterator[bytes]:
    for line in lines:
        yield mark + line
        if not line.endswith(b"\n"):
            yield b"\n" + NO_NEWLINE


def _literal(content: bytes) -> bytes:
    """Encode a whole file for a binary patch: deflated, in lines of base 85."""
    packed = zlib.compress(content)
    lines = [f"literal {len(content)}\n".encode()]
    for start in range(0, len(packed), BASE85_BYTES):
        piece = packed[start : start + BASE85_BYTES]
        length = len(piece)
        letter = chr(ord("A") + length - 1 if length <= LETTERS else ord("a") + length - 27)
        lines.append(letter.encode() + base64.b85encode(piece, pad=True) + b"\n")
    return b"".join((*lines, b"\n"))

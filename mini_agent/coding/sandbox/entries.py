"""Files on their way into the sandbox and back: their bundles, and what is accepted of those."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from mini_agent.errors import SandboxError

LENGTH_BYTES: Final = 8
# What is read into memory at a time; the sandbox has to hold it twice for a moment.
ROUND_BYTES: Final = 32 << 20
PART_BYTES: Final = 15 << 20
MAX_PATH_BYTES: Final = 4000
MAX_NAME_BYTES: Final = 255
# Parts that are neither empty nor "." nor "..".
SAFE_PATH: Final = re.compile(r"(?:(?!\.{1,2}(?:/|\Z))[^/\0]+(?:/(?!\Z)|\Z))+")

Kind: TypeAlias = Literal["file", "folder", "link", "gone", "other"]


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What the sandbox reports of one path: `kind` is "gone" where nothing is there any more."""

    path: str
    kind: Kind
    is_executable: bool = False
    modified_ns: int = 0
    size: int = 0
    target: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A path of the project with what is there; `content` is that of a regular file."""

    facts: EntryFacts
    content: bytes = b""

    @property
    def path(self) -> str:
        """The path, relative to the project."""
        return self.facts.path

    @property
    def kind(self) -> Kind:
        """What it is."""
        return self.facts.kind


@dataclass(frozen=True, slots=True)
class Report:
    """What changed in the sandbox, and the folder in which its last command ended.

    `is_lost` says that the sandbox does not know what was there before.
    """

    cwd: str
    is_lost: bool
    changes: tuple[EntryFacts, ...]


def encode_rounds(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Encode the entries in bundles of about `ROUND_BYTES`; none make an empty bundle."""
    batch: list[Entry] = []
    size = 0
    is_first = True
    for entry in entries:
        batch.append(entry)
        size += len(entry.content)
        if size >= ROUND_BYTES:
            yield _encode(batch)
            batch, size, is_first = [], 0, False
    if batch or is_first:
        yield _encode(batch)


def split_parts(bundle: bytes) -> Iterator[bytes]:
    """Split a bundle into parts that the files API carries."""
    for start in range(0, len(bundle), PART_BYTES):
        yield bundle[start : start + PART_BYTES]


def decode_bundle(bundle: bytes, wanted: Sequence[EntryFacts]) -> tuple[Entry, ...]:
    """Decode what came back; raises `SandboxError` unless it is what was asked for."""
    end = LENGTH_BYTES + int.from_bytes(bundle[:LENGTH_BYTES], "big")
    facts = tuple(map(_parse_facts, _parse_list(bundle[LENGTH_BYTES:end])))
    if facts != tuple(wanted):
        raise SandboxError("the sandbox sent other files than were asked for")
    entries: list[Entry] = []
    for each in facts:
        size = each.size if each.kind == "file" else 0
        entries.append(Entry(each, bundle[end : end + size]))
        end += size
    if end != len(bundle):
        raise SandboxError("the sandbox sent more or less than the files have")
    return tuple(entries)


def parse_report(text: str) -> Report:
    """Parse what the sandbox printed; raises `SandboxError` where it is malformed."""
    value = _parse_json(text)
    if not isinstance(value, dict) or value.keys() != {"cwd", "lost", "changes"}:
        raise SandboxError("the sandbox's report of changes is not one")
    cwd, is_lost, changes = value["cwd"], value["lost"], value["changes"]
    if not isinstance(cwd, str) or not isinstance(is_lost, bool) or not isinstance(changes, list):
        raise SandboxError("the sandbox's report of changes is not one")
    return Report(cwd, is_lost, tuple(map(_parse_facts, changes)))


def is_safe_path(path: str) -> bool:
    """Whether it is a relative path that stays where it begins, of names a file can have."""
    encoded = path.encode("utf-8", "surrogateescape")
    if SAFE_PATH.fullmatch(path) is None or len(encoded) > MAX_PATH_BYTES:
        return False
    return len(encoded) <= MAX_NAME_BYTES or all(
        len(part) <= MAX_NAME_BYTES for part in encoded.split(b"/")
    )


def _encode(batch: Sequence[Entry]) -> bytes:
    facts = (entry.facts for entry in batch)
    header = json.dumps(
        [
            (each.path, each.kind, each.is_executable, each.modified_ns, each.size, each.target)
            for each in facts
        ]
    ).encode()
    length = len(header).to_bytes(LENGTH_BYTES, "big")
    return b"".join((length, header, *(entry.content for entry in batch)))


def _parse_list(text: bytes) -> list[object]:
    value = _parse_json(text)
    if not isinstance(value, list):
        raise SandboxError("the sandbox sent no list of files")
    return value


def _parse_json(text: str | bytes) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        raise SandboxError(f"the sandbox sent no JSON: {text[:80]!r}") from None
    return value


def _parse_facts(value: object) -> EntryFacts:
    match value:
        case [str(path), str(kind), bool(executable), int(modified), int(size), str(target)] if (
            kind in get_args(Kind) and size >= 0 and _is_encodable(path) and _is_encodable(target)
        ):
            return EntryFacts(path, kind, executable, modified, size, target)  # type: ignore[arg-type]
    raise SandboxError(f"the sandbox reported a file that cannot be: {str(value)[:80]!r}")


def _is_encodable(name: str) -> bool:
    try:
        name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True

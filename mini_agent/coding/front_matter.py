"""Markdown files that begin with a few keys between lines of dashes: agents, commands, skills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FENCE: Final = "---"


@dataclass(frozen=True, slots=True)
class Document:
    """A file: its keys, and the text below them."""

    path: Path
    keys: Mapping[str, str]
    text: str

    @property
    def name(self) -> str:
        """What it calls itself, else its file's name."""
        return self.keys.get("name") or self.path.stem

    def listed(self, key: str) -> tuple[str, ...] | None:
        """The names under a key, apart by commas; None where there is no such key."""
        if not self.keys.get(key):
            return None
        return tuple(name.strip(" []\"'") for name in self.keys[key].split(",") if name.strip())


def documents_in(folders: Iterable[Path], pattern: str = "*.md") -> dict[str, Document]:
    """All documents by name; what is in a later folder counts more."""
    found: dict[str, Document] = {}
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            try:
                document = document_of(path, path.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue
            found[document.name] = document
    return found


def document_of(path: Path, written: str) -> Document:
    """A document; without a fence at its top all of it is text."""
    lines = written.splitlines()
    if not lines or lines[0].strip() != FENCE:
        return Document(path, {}, written.strip())
    end = next((at for at, line in enumerate(lines[1:], 1) if line.strip() == FENCE), None)
    if end is None:
        return Document(path, {}, written.strip())
    return Document(path, _keys(lines[1:end]), "\n".join(lines[end + 1 :]).strip())


def _keys(lines: Iterable[str]) -> dict[str, str]:
    """`key: value` a line; what is indented goes on with the line before, a list item too."""
    keys: dict[str, str] = {}
    last = ""
    for line in lines:
        if line.startswith((" ", "\t", "-")) and last:
            more = line.strip()
            between = ", " if more.startswith("- ") and keys[last] else " "
            keys[last] = f"{keys[last]}{between}{more.removeprefix('- ')}".strip(" >|")
            continue
        key, colon, value = line.partition(":")
        if colon and key.strip():
            last = key.strip()
            keys[last] = value.strip().strip("\"'")
    return keys

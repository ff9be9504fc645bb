"""Markdown files that begin with YAML between lines of dashes: agents, commands, skills."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent.errors import BadRequest

FENCE: Final = "---"
BYTE_ORDER_MARK: Final = "\ufeff"
QUOTE_IT: Final = "write a value that has a colon or begins with a sign of YAML's in quotes"


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

    def list_values(self, key: str) -> tuple[str, ...] | None:
        """The names under a key, apart by commas; None where there is no such key."""
        if not self.keys.get(key):
            return None
        return tuple(name.strip(" []\"'") for name in self.keys[key].split(",") if name.strip())


def read_documents(folders: Iterable[Path], pattern: str = "*.md") -> dict[str, Document]:
    """All documents by name; what is in a later folder counts more."""
    documents: dict[str, Document] = {}
    for folder in folders:
        for path in sorted(folder.glob(pattern)):
            try:
                document = parse_document(path, path.read_text(encoding="utf-8", errors="replace"))
            except OSError:
                continue
            documents[document.name] = document
    return documents


def parse_document(path: Path, text: str) -> Document:
    """A document; without a fence at its top all of it is text.

    `BadRequest` where what is between the fences is no YAML, or no keys with values.
    """
    lines = text.removeprefix(BYTE_ORDER_MARK).splitlines()
    if not lines or lines[0].strip() != FENCE:
        return Document(path, {}, "\n".join(lines).strip())
    end = next((at for at, line in enumerate(lines[1:], 1) if line.strip() == FENCE), None)
    if end is None:
        return Document(path, {}, "\n".join(lines).strip())
    keys = _parse_metadata(path, "\n".join(lines[1:end]))
    return Document(path, keys, "\n".join(lines[end + 1 :]).strip())


def _parse_metadata(path: Path, text: str) -> dict[str, str]:
    import yaml

    try:
        parsed: object = yaml.safe_load(text)
        keys = _flatten({} if parsed is None else parsed)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).replace("<unicode string>", "the keys").split())
        raise BadRequest(
            f"the keys of {path} cannot be read: {reason:.300}", hint=QUOTE_IT
        ) from None
    return keys


def _flatten(parsed: object) -> dict[str, str]:
    """Texts, and lists as texts with commas; what is nested more deeply is nothing we know."""
    if not isinstance(parsed, dict):
        raise ValueError(f"not a {type(parsed).__name__} but `key: value`")  # noqa: TRY004
    return {
        str(key): ", ".join(_text(item) for item in value if not isinstance(item, dict | list))
        if isinstance(value, list)
        else _text(value)
        for key, value in parsed.items()
        if not isinstance(value, dict)
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())

"""Markdown files with YAML front matter: agents, commands, skills."""

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
    """A file: the metadata of its front matter, and the text below."""

    path: Path
    keys: Mapping[str, str]
    text: str

    @property
    def name(self) -> str:
        """Its `name`, else the stem of its file name."""
        return self.keys.get("name") or self.path.stem

    def list_values(self, key: str) -> tuple[str, ...] | None:
        """Split the comma-separated value of a key; None where the key is missing."""
        if not self.keys.get(key):
            return None
        return tuple(name.strip(" []\"'") for name in self.keys[key].split(",") if name.strip())


def read_documents(folders: Iterable[Path], pattern: str = "*.md") -> dict[str, Document]:
    """Read all documents by name; a later folder overrides an earlier one."""
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
    """Parse a document; without a fence in its first line, all of it is text.

    Raises `BadRequest` where the front matter is no YAML mapping.
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
    """Convert values to text, lists to comma-separated text; leave out nested values."""
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

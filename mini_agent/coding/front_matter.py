"""Markdown files with YAML front matter: agents, commands, skills."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.text_source import FileRefused, find_root, list_files, read_source
from mini_agent.coding.tools.text_file import real_path
from mini_agent.errors import BadRequest

FENCE: Final = "---"
BYTE_ORDER_MARK: Final = "\ufeff"
SKILL_FILE: Final = "SKILL.md"
KEY_LINE: Final = re.compile(r"[A-Za-z_][\w-]*\s*:(?:\s|$)")
SEPARATOR: Final = re.compile(r",(?![^()]*\))")
MAX_DOCUMENTS: Final = 500
MAX_BYTES: Final = 256 << 10
# Keys without effect on what may be done: of two of them the last one counts.
REMARKS: Final = frozenset({"description", "argument-hint"})
QUOTE_IT: Final = "write a value that has a colon or begins with a sign of YAML's in quotes"


class RepeatedKey(BadRequest):
    """The front matter has a key twice."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file: the metadata of its front matter, and the text below.

    `keys` have texts; those whose values are objects are `nested`. `is_users` tells whether it
    lies in the user's own folder, not in the project.
    """

    path: Path
    keys: Mapping[str, str]
    text: str
    is_users: bool = False
    nested: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Its `name`, else the stem of its file name, of a SKILL.md the name of its folder."""
        own = self.path.parent.name if self.path.name == SKILL_FILE else self.path.stem
        return self.keys.get("name") or own

    def list_values(self, key: str) -> tuple[str, ...] | None:
        """Split the value of a key at commas outside of parentheses; None where it is missing."""
        if not self.keys.get(key):
            return None
        parts = SEPARATOR.split(self.keys[key].strip(" []"))
        return tuple(name for part in parts if (name := part.strip(" \"'")))


@dataclass(frozen=True, slots=True)
class DocumentFolder:
    """A folder of documents: the user's own, or one of the project's, whose links stay in it."""

    path: Path
    project: Path | None = None

    @property
    def roots(self) -> tuple[Path, ...] | None:
        """The folders that its files may lead to; None for all."""
        if self.project is None:
            return None
        return find_root(self.project), real_path(self.project)


def _ignore(line: str) -> None:
    """Discard the line."""


def document_folders(claude_home: Path, project: Path, name: str) -> tuple[DocumentFolder, ...]:
    """Return the user's folder `name` and the project's, which overrides it."""
    return (
        DocumentFolder(claude_home / name),
        DocumentFolder(project / ".claude" / name, project),
    )


def read_documents(
    folders: Iterable[DocumentFolder],
    report: Callable[[str], None] = _ignore,
    file_name: str = ".md",
) -> list[Document]:
    """Read all files in the folders whose names end with `file_name`, later folders later.

    A file that cannot be read or understood is left out; `report` gets a line about it.
    """
    documents: list[Document] = []
    for folder in folders:
        paths = list_files(folder.path, file_name, MAX_DOCUMENTS)
        if len(paths) > MAX_DOCUMENTS:
            report(f"{folder.path} has more than {MAX_DOCUMENTS} files: the others are left out")
        for path in paths[:MAX_DOCUMENTS]:
            try:
                source = read_source(path, folder.roots, MAX_BYTES)
                if source.is_cut:
                    raise FileRefused(f"it has more than {MAX_BYTES >> 10} kB")
                document = parse_lenient(path, source.text)
            except FileNotFoundError:
                continue
            except (FileRefused, BadRequest) as error:
                report(f"{path} is left out: {error}")
                continue
            documents.append(replace(document, is_users=folder.project is None))
    return documents


def parse_lenient(path: Path, text: str) -> Document:
    """Parse a document whose keys may have values that are no YAML, such as `a: b: c` or `*`.

    Such a value is text. Raises `BadRequest` where the front matter has no keys.
    """
    try:
        return parse_document(path, text)
    except RepeatedKey:
        raise
    except BadRequest:
        lines = text.removeprefix(BYTE_ORDER_MARK).splitlines()
        end = next(at for at, line in enumerate(lines[1:], 1) if line.strip() == FENCE)
        parsed = _parse_by_key(lines[1:end])
        if parsed is None:
            raise
        return Document(path, parsed[0], "\n".join(lines[end + 1 :]).strip(), nested=parsed[1])


def _parse_by_key(lines: Sequence[str]) -> tuple[dict[str, str], frozenset[str]] | None:
    """Parse each key with its lines by itself; None where a line belongs to no key."""
    import yaml

    blocks: list[list[str]] = []
    for line in lines:
        if KEY_LINE.match(line):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
        elif line.strip() and not line.startswith("#"):
            return None
    keys: dict[str, str] = {}
    nested: frozenset[str] = frozenset()
    for block in blocks:
        try:
            _reject_repeated_keys(yaml.compose("\n".join(block), Loader=yaml.SafeLoader))
            own, below = _flatten(yaml.safe_load("\n".join(block)))
        except (yaml.YAMLError, ValueError, RecursionError):
            key, _, value = block[0].partition(":")
            own, below = {key.strip(): " ".join(" ".join((value, *block[1:])).split())}, frozenset()
        if repeated := (own.keys() | below) & (keys.keys() | nested) - REMARKS:
            raise RepeatedKey(f"the key {min(repeated)!r:.80} is there twice")
        keys, nested = keys | own, nested | below
    return keys, nested


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
    keys, nested = _parse_metadata(path, "\n".join(lines[1:end]))
    return Document(path, keys, "\n".join(lines[end + 1 :]).strip(), nested=nested)


def _parse_metadata(path: Path, text: str) -> tuple[dict[str, str], frozenset[str]]:
    import yaml

    try:
        _reject_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader))
        parsed: object = yaml.safe_load(text)
        return _flatten({} if parsed is None else parsed)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).replace("<unicode string>", "the keys").split())
        raise BadRequest(
            f"the keys of {path} cannot be read: {reason:.300}", hint=QUOTE_IT
        ) from None


def _reject_repeated_keys(node: object) -> None:
    """Raise `RepeatedKey` where a mapping of YAML has a key twice: the first would not count."""
    pairs = getattr(node, "value", ())
    names = [key.value for key, _ in pairs] if getattr(node, "id", "") == "mapping" else []
    repeated = [name for name in names if names.count(name) > 1 and name not in REMARKS]
    if repeated:
        raise RepeatedKey(f"the key {str(repeated[0])!r:.80} is there twice")


def _flatten(parsed: object) -> tuple[dict[str, str], frozenset[str]]:
    """Convert values to text, lists to comma-separated text; return apart what is nested."""
    if not isinstance(parsed, dict):
        raise ValueError(f"not a {type(parsed).__name__} but `key: value`")  # noqa: TRY004
    nested = frozenset(str(key) for key, value in parsed.items() if _is_nested(value))
    flat = {str(key): value for key, value in parsed.items() if not isinstance(value, dict)}
    return {key: _join(value) for key, value in flat.items()}, nested


def _is_nested(value: object) -> bool:
    items = value if isinstance(value, list) else [value]
    return any(isinstance(item, dict | list) for item in items)


def _join(value: object) -> str:
    if not isinstance(value, list):
        return _text(value)
    texts = [_text(item) for item in value if not isinstance(item, dict | list)]
    return ", ".join(texts) if value else "[]"


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())

"""The transcript file: its lines as entries, appending, and the entries that are active."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

from mini_agent.errors import MiniAgentError
from mini_agent.messages import JsonObject, parse_json_object

Block: TypeAlias = JsonObject
MESSAGE_TYPES: Final = ("user", "assistant")
COMPACT_BOUNDARY: Final = "compact_boundary"
PICTURES_REFUSED: Final = "pictures_refused"
SYNTHETIC_MODEL: Final = "<synthetic>"


def _normalize_blocks(content: object) -> object:
    """Convert a text or a single block to the list that Claude Code writes."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [content] if isinstance(content, dict) else content


def _is_true(flag: object) -> bool:
    return flag is True


def _coerce_text(text: object) -> str:
    return text if isinstance(text, str) else ""


LenientFlag = Annotated[bool, BeforeValidator(_is_true)]


LenientText = Annotated[str, BeforeValidator(_coerce_text)]


class EntryMessage(BaseModel):
    """The message in a line."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: LenientText = Field(
        default="", description="The id of the model's reply; empty for the user's messages."
    )
    model: LenientText = Field(
        default="", description="The model that replied; empty for the user's messages."
    )
    content: Annotated[list[Block], BeforeValidator(_normalize_blocks)] = Field(
        default=[], description="The blocks of the message, in order."
    )


class Entry(BaseModel):
    """A line of a transcript; lines of other types (summaries, snapshots, ...) have no message."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    type: LenientText = Field(
        default="", description="The type of the line: user, assistant, system, summary and others."
    )
    subtype: LenientText = Field(
        default="", description="The subtype of a system line, such as compact_boundary."
    )
    uuid: LenientText = Field(default="", description="The id of the line.")
    parent: LenientText = Field(
        default="",
        alias="parentUuid",
        description="The id of the line before it; empty for the first.",
    )
    session: LenientText = Field(
        default="", alias="sessionId", description="The id of the session."
    )
    cwd: LenientText = Field(default="", description="The folder that the session was in.")
    is_sidechain: LenientFlag = Field(
        default=False,
        alias="isSidechain",
        description="Whether it belongs to a subagent's conversation.",
    )
    is_error: LenientFlag = Field(
        default=False,
        alias="isApiErrorMessage",
        description="Whether it reports an error of the model's API.",
    )
    is_meta: LenientFlag = Field(
        default=False,
        alias="isMeta",
        description="Whether it was written by the program and not by the user.",
    )
    is_summary: LenientFlag = Field(
        default=False,
        alias="isCompactSummary",
        description="Whether it is the summary that replaces what was before.",
    )
    message: EntryMessage | None = Field(
        default=None, description="The message; null for a line without one."
    )

    @property
    def is_conversation(self) -> bool:
        """Whether it belongs to the conversation with the model."""
        is_ours = self.type in MESSAGE_TYPES and not self.is_sidechain and not self.is_error
        return is_ours and self.message is not None and self.message.model != SYNTHETIC_MODEL

    @property
    def blocks(self) -> list[Block]:
        """The content blocks of the message."""
        return self.message.content if self.message else []

    def blocks_of_type(self, block_type: str) -> Iterator[Block]:
        """Yield the blocks of one type."""
        return (block for block in self.blocks if block.get("type") == block_type)

    @property
    def text(self) -> str:
        """The text blocks, joined by newlines."""
        return "\n".join(str(block.get("text") or "") for block in self.blocks_of_type("text"))


def parse_entry(line_object: JsonObject) -> Entry:
    """Parse a JSON object; one of an unknown shape is an entry without a message."""
    try:
        return Entry.model_validate(line_object)
    except ValidationError:
        return Entry.model_validate({**line_object, "type": "unknown", "message": None})


def parse_line(line: str) -> Entry | None:
    """Parse a line; None where it is no JSON object."""
    try:
        return parse_entry(parse_json_object(line))
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class TranscriptContent:
    """The entries of a file, and a warning about lines that are broken."""

    entries: tuple[Entry, ...] = ()
    warning: str = ""


def read_transcript(path: Path) -> TranscriptContent:
    """Read the entries of `path`, none if it is missing; broken lines cause a warning."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return TranscriptContent()
    except OSError as error:
        raise MiniAgentError(f"{path} cannot be read: {error.strerror}") from error
    entries: list[Entry] = []
    broken: list[int] = []
    text = raw.removeprefix(BOM_UTF8).decode("utf-8", "replace")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        entry = parse_line(line)
        if entry is None:
            broken.append(number)
        else:
            entries.append(entry)
    return TranscriptContent(tuple(entries), _describe_broken(path, broken))


def append_line(path: Path, line_object: JsonObject) -> None:
    """Append a line; where it does not fit on the disk, the file is left as it was."""
    line = json.dumps(line_object, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # INVARIANT: bytes in the file are never changed, not even those of a broken last line.
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    except OSError as error:
        raise _build_write_error(path, error) from error
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            line = b"\n" + line
        _write_whole(file, line, size)
    except OSError as error:
        raise _build_write_error(path, error) from error
    finally:
        os.close(file)


def select_active(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Select the entries that the model sees, in the order of the file.

    Each entry names its parent. Entries abandoned by going back to an earlier one, and those
    replaced by a compaction, are not active. The calls of one reply and their results may lie on
    several branches, all of which are active.
    """
    if not is_chained(entries):
        return tuple(entry for entry in _after_compaction(entries) if entry.is_conversation)
    trunk = _walk_ancestors(entries)
    on_trunk = {entry.uuid for entry in trunk}
    answers = {_message_id(entry) for entry in trunk} - {""}
    reply_entries = [e for e in entries if e.uuid in on_trunk or _message_id(e) in answers]
    call_ids = {
        block.get("id") for entry in reply_entries for block in entry.blocks_of_type("tool_use")
    }
    reply_ids = {entry.uuid for entry in reply_entries}
    return tuple(
        e
        for e in entries
        if e.is_conversation and (e.uuid in reply_ids or _answers_any(e, call_ids))
    )


def is_chained(entries: Sequence[Entry]) -> bool:
    """Tell whether entries name their parents; some programs never write them.

    There the order of the file counts. A file of fewer than two messages is chained.
    """
    speaking = [entry for entry in entries if entry.is_conversation]
    return len(speaking) < 2 or any(entry.parent for entry in speaking)


def _describe_broken(path: Path, broken: Sequence[int]) -> str:
    if not broken:
        return ""
    lines = ", ".join(map(str, broken[:5])) + (", ..." if len(broken) > 5 else "")
    word = "line" if len(broken) == 1 else "lines"
    return (
        f"{path}: {word} {lines} cannot be read and {'is' if len(broken) == 1 else 'are'} left out"
    )


def _write_whole(file: int, line: bytes, size: int) -> None:
    try:
        left = memoryview(line)
        while left:
            left = left[os.write(file, left) :]
    except OSError:
        os.ftruncate(file, size)
        raise


def _build_write_error(path: Path, error: OSError) -> MiniAgentError:
    return MiniAgentError(
        f"the transcript {path} cannot be written: {error.strerror}",
        hint="what is in it is whole: make room, or rights, and go on with --resume",
    )


def _after_compaction(entries: Sequence[Entry]) -> Sequence[Entry]:
    positions = [
        position for position, entry in enumerate(entries) if entry.subtype == COMPACT_BOUNDARY
    ]
    return entries[positions[-1] :] if positions else entries


def _walk_ancestors(entries: Sequence[Entry]) -> list[Entry]:
    positions = {entry.uuid: position for position, entry in enumerate(entries) if entry.uuid}
    position: int | None = next(
        (at for at in range(len(entries) - 1, -1, -1) if entries[at].is_conversation), None
    )
    trunk: list[Entry] = []
    while position is not None:
        entry = entries[position]
        trunk.append(entry)
        position = None if _is_first(entry) else _find_parent(entry, position, positions, entries)
    return trunk


def _is_first(entry: Entry) -> bool:
    return not entry.parent or entry.subtype == COMPACT_BOUNDARY


def _find_parent(
    entry: Entry, position: int, positions: dict[str, int], entries: Sequence[Entry]
) -> int | None:
    """Find the position of the parent; where it is missing, it is the entry above."""
    parent = positions.get(entry.parent)
    if parent is not None:
        return parent if parent < position else None
    return next((at for at in range(position - 1, -1, -1) if not entries[at].is_sidechain), None)


def _message_id(entry: Entry) -> str:
    return entry.message.id if entry.type == "assistant" and entry.message else ""


def _answers_any(entry: Entry, call_ids: set[JsonValue]) -> bool:
    return any(
        block.get("tool_use_id") in call_ids for block in entry.blocks_of_type("tool_result")
    )

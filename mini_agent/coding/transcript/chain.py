"""The lines of a transcript that are in force: the newest one, what led to it, and its siblings."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import JsonValue

from mini_agent.coding.transcript.log import BOUNDARY, Entry


def in_force(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """What a model is to see of `entries`, in the order of the file.

    A line names the one before it. What was left by going back to an earlier line, and what a
    compaction stands for, is not in force. The calls of one answer, and what came of them, lie on
    branches; all of them are.
    """
    if not is_chained(entries):
        return tuple(entry for entry in _since_compaction(entries) if entry.speaks)
    trunk = _ancestors(entries)
    on_trunk = {entry.uuid for entry in trunk}
    answers = {_message_id(entry) for entry in trunk} - {""}
    asked = [e for e in entries if e.uuid in on_trunk or _message_id(e) in answers]
    calls = {block.get("id") for entry in asked for block in entry.of_type("tool_use")}
    kept = {entry.uuid for entry in asked}
    return tuple(e for e in entries if e.speaks and (e.uuid in kept or _answers(e, calls)))


def is_chained(entries: Sequence[Entry]) -> bool:
    """Whether lines name the one before; some programs never do, there the order is all there is.

    A file that has only begun is chained.
    """
    speaking = [entry for entry in entries if entry.speaks]
    return len(speaking) < 2 or any(entry.parent for entry in speaking)


def _since_compaction(entries: Sequence[Entry]) -> Sequence[Entry]:
    places = [place for place, entry in enumerate(entries) if entry.subtype == BOUNDARY]
    return entries[places[-1] :] if places else entries


def _ancestors(entries: Sequence[Entry]) -> list[Entry]:
    places = {entry.uuid: place for place, entry in enumerate(entries) if entry.uuid}
    place: int | None = next(
        (at for at in range(len(entries) - 1, -1, -1) if entries[at].speaks), None
    )
    trunk: list[Entry] = []
    while place is not None:
        entry = entries[place]
        trunk.append(entry)
        place = None if _is_first(entry) else _before(entry, place, places, entries)
    return trunk


def _is_first(entry: Entry) -> bool:
    return not entry.parent or entry.subtype == BOUNDARY


def _before(
    entry: Entry, place: int, places: dict[str, int], entries: Sequence[Entry]
) -> int | None:
    """Where the parent is; one that is not in the file was the line above it."""
    parent = places.get(entry.parent)
    if parent is not None:
        return parent if parent < place else None
    return next((at for at in range(place - 1, -1, -1) if not entries[at].is_sidechain), None)


def _message_id(entry: Entry) -> str:
    return entry.message.id if entry.type == "assistant" and entry.message else ""


def _answers(entry: Entry, calls: set[JsonValue]) -> bool:
    return any(block.get("tool_use_id") in calls for block in entry.of_type("tool_result"))

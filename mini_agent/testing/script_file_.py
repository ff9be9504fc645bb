"""A script read from a JSON file, for people who do not write Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from mini_agent.testing.library import Models
from mini_agent.testing.replies_ import Scripted
from mini_agent.testing.script_file import BadWord, parsed, reasons

SPACE: Final = " \t\r\n"


class BadScript(Exception):
    """The file is no script; the message says where and why, `FILE:LINE: what`."""


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """What a script file says."""

    replies: tuple[Scripted, ...]
    repeat_last: bool
    models: Models


class _Models(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pulled: list[str] | None = Field(
        default=None, description="Models that the server has; null for any."
    )
    known: list[str] | None = Field(
        default=None, description="Models that the server knows; null for any."
    )
    capabilities: list[str] = Field(
        default=["completion", "tools"], description="What the models can do."
    )

    def values(self) -> Models:
        return Models(self.pulled, self.known, tuple(self.capabilities))


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    replies: list[JsonValue] = Field(
        description='The replies, in order, each a text or {"word": arguments}.'
    )
    repeat_last: bool = Field(
        default=False, description="Whether the last reply is given again and again."
    )
    models: _Models = Field(default=_Models(), description="The models that the server has.")


def read_script(path: Path) -> ScriptFile:
    """The script in the file: a list of replies, or an object around it; raises `BadScript`."""
    text = _text(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as broken:
        raise BadScript(f"{path}:{broken.lineno}: not JSON: {broken.msg}") from broken
    try:
        written = _Written.model_validate({"replies": value} if isinstance(value, list) else value)
    except ValidationError as wrong:
        line = _line_of(text, wrong.errors()[0]["loc"][:1])
        raise BadScript(f"{path}:{line}: {reasons(wrong)}") from wrong
    if written.repeat_last and not written.replies:
        raise BadScript(f"{path}:1: 'repeat_last' needs at least one reply in 'replies'")
    replies = tuple(_replies(path, text, written.replies, in_object=isinstance(value, dict)))
    return ScriptFile(replies, written.repeat_last, written.models.values())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as broken:
        raise BadScript(f"{path}: cannot be read: {broken.strerror}") from broken
    except UnicodeDecodeError as broken:
        raise BadScript(f"{path}: is not UTF-8 text: {broken.reason}") from broken


def _replies(
    path: Path, text: str, written: list[JsonValue], *, in_object: bool
) -> Iterator[Scripted]:
    for index, one in enumerate(written):
        try:
            yield parsed(one)
        except BadWord as wrong:
            line = _line_of(text, ("replies", index) if in_object else (index,))
            raise BadScript(f"{path}:{line}: reply {index + 1}: {wrong}") from wrong


def _line_of(text: str, keys: tuple[str | int, ...]) -> int:
    """The line where the value under `keys` begins, as far as the keys lead."""
    at = _skip(text, 0)
    for key in keys:
        at = dict(_members(text, at)).get(key, at)
    return text.count("\n", 0, at) + 1


def _members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Each key or index of the object or list at `at`, with the place of its value."""
    if text[at] not in "[{":
        return
    decoder, named, index = json.JSONDecoder(), text[at] == "{", 0
    at = _skip(text, at + 1)
    while text[at] not in "]}":
        key: str | int = index
        if named:
            key, at = decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        yield key, at
        _, end = decoder.raw_decode(text, at)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
        index += 1


def _skip(text: str, at: int) -> int:
    while text[at] in SPACE:
        at += 1
    return at

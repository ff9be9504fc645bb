"""Reads a script for the scripted server from a JSON file: `{"word": arguments}` a reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, validate_call

from mini_agent.testing import replies
from mini_agent.testing.replies import Call, Reply, ScriptedReply
from mini_agent.testing.routes import Models

NO_ARGUMENTS: Final[dict[str, JsonValue]] = {}
SPACE: Final = " \t\r\n"


class CallEntry(BaseModel):
    """A native call in a script file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="The name of the tool.")
    arguments: dict[str, JsonValue] | str = Field(
        default=NO_ARGUMENTS,
        description="The arguments; given as a string they go out as they are.",
    )
    id: str | None = Field(default=None, description="The id of the call; null makes one up.")


class _ModelsModel(BaseModel):
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


class _ScriptModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    replies: list[JsonValue] = Field(
        description='The replies, in order, each a text or {"word": arguments}.'
    )
    repeat_last: bool = Field(
        default=False, description="Whether the last reply is given again and again."
    )
    models: _ModelsModel = Field(
        default=_ModelsModel(), description="The models that the server has."
    )


class ScriptFileError(Exception):
    """The file is no script; the message is `FILE:LINE: problem`."""


class UnreadableReply(Exception):
    """A reply that cannot be parsed; the message names the key."""


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """The content of a script file."""

    replies: tuple[ScriptedReply, ...]
    repeat_last: bool
    models: Models


def read_script(path: Path) -> ScriptFile:
    """Read a list of replies, or an object around it; raises `ScriptFileError`."""
    text = _read_text(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as broken:
        raise ScriptFileError(f"{path}:{broken.lineno}: not JSON: {broken.msg}") from broken
    try:
        written = _ScriptModel.model_validate(
            {"replies": value} if isinstance(value, list) else value
        )
    except ValidationError as wrong:
        line = _find_line(text, wrong.errors()[0]["loc"][:1])
        raise ScriptFileError(f"{path}:{line}: {describe_errors(wrong)}") from wrong
    if written.repeat_last and not written.replies:
        raise ScriptFileError(f"{path}:1: 'repeat_last' needs at least one reply in 'replies'")
    replies = tuple(_parse_replies(path, text, written.replies, in_object=isinstance(value, dict)))
    return ScriptFile(replies, written.repeat_last, written.models.values())


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as broken:
        raise ScriptFileError(f"{path}: cannot be read: {broken.strerror}") from broken
    except UnicodeDecodeError as broken:
        raise ScriptFileError(f"{path}: is not UTF-8 text: {broken.reason}") from broken


def _find_line(text: str, keys: tuple[str | int, ...]) -> int:
    """The line where the value under `keys` begins, as far as the keys lead."""
    at = _skip_space(text, 0)
    for key in keys:
        at = dict(_iterate_members(text, at)).get(key, at)
    return text.count("\n", 0, at) + 1


def _skip_space(text: str, at: int) -> int:
    while text[at] in SPACE:
        at += 1
    return at


def _iterate_members(text: str, at: int) -> Iterator[tuple[str | int, int]]:
    """Each key or index of the object or list at `at`, with the place of its value."""
    if text[at] not in "[{":
        return
    decoder, named, index = json.JSONDecoder(), text[at] == "{", 0
    at = _skip_space(text, at + 1)
    while text[at] not in "]}":
        key: str | int = index
        if named:
            key, at = decoder.raw_decode(text, at)
            at = _skip_space(text, _skip_space(text, at) + 1)
        yield key, at
        _, end = decoder.raw_decode(text, at)
        at = _skip_space(text, end)
        at = _skip_space(text, at + 1) if text[at] == "," else at
        index += 1


def _parse_replies(
    path: Path, text: str, written: list[JsonValue], *, in_object: bool
) -> Iterator[ScriptedReply]:
    for index, one in enumerate(written):
        try:
            yield parse_scripted_reply(one)
        except UnreadableReply as wrong:
            line = _find_line(text, ("replies", index) if in_object else (index,))
            raise ScriptFileError(f"{path}:{line}: reply {index + 1}: {wrong}") from wrong


def parse_scripted_reply(written: JsonValue) -> ScriptedReply:
    """Parse the reply that a JSON value stands for; raises `UnreadableReply`."""
    if isinstance(written, str):
        return replies.text(written)
    if not isinstance(written, dict) or len(written) != 1:
        raise UnreadableReply(
            f'a reply is a string or {{"word": arguments}}, not {_shorten(written)}'
        )
    word, arguments = next(iter(written.items()))
    if word not in REPLY_FUNCTIONS:
        raise UnreadableReply(f"no word {word!r}; known: {', '.join(sorted(REPLY_FUNCTIONS))}")
    return _build_reply(word, arguments)


def _shorten(written: JsonValue) -> str:
    shown = repr(written)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _build_reply(word: str, arguments: JsonValue) -> ScriptedReply:
    function, first = REPLY_FUNCTIONS[word]
    named = arguments if isinstance(arguments, dict) else {first: arguments}
    try:
        return validate_call(function)(**named)
    except ValidationError as wrong:
        raise UnreadableReply(f"{word}: {describe_errors(wrong)}") from wrong


def describe_errors(wrong: ValidationError) -> str:
    """Describe each validation error by its key."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))!r}: {one['msg'].lower()}" for one in wrong.errors()
    )


def _call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return Reply(calls=(Call(name, arguments),))


def _calls(calls: list[CallEntry], content: str = "") -> Reply:
    several = (Call(one.name, one.arguments, one.id) for one in calls)
    return replies.calls(*several, content=content)


def _json_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return replies.json_call(name, **arguments)


def _fenced_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return replies.fenced_call(name, **arguments)


def _tagged_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return replies.tagged_call(name, **arguments)


def _delayed(reply: JsonValue, seconds: float) -> ScriptedReply:
    return replies.delayed(parse_scripted_reply(reply), seconds)


def _drip(reply: JsonValue, every_s: float = 0.05) -> ScriptedReply:
    return replies.drip(parse_scripted_reply(reply), every_s)


REPLY_FUNCTIONS: Final = MappingProxyType[str, tuple[Callable[..., ScriptedReply], str]](
    {
        "text": (replies.text, "content"),
        "call": (_call, "name"),
        "calls": (_calls, "calls"),
        "json_call": (_json_call, "name"),
        "fenced_call": (_fenced_call, "name"),
        "tagged_call": (_tagged_call, "name"),
        "fenced_code": (replies.fenced_code, "code"),
        "think": (replies.think, "thought"),
        "reasoning_only": (replies.reasoning_only, "thought"),
        "blank": (replies.blank, "content"),
        "null_content": (replies.null_content, "nothing"),
        "truncated": (replies.truncated, "content"),
        "truncated_call": (replies.truncated_call, "name"),
        "refusal": (replies.refusal, "status"),
        "no_tools": (replies.no_tools, "model"),
        "not_pulled": (replies.not_pulled, "model"),
        "server_error": (replies.server_error, "message"),
        "hang": (replies.hang, "nothing"),
        "delayed": (_delayed, "reply"),
        "drip": (_drip, "reply"),
        "breaks_off": (replies.breaks_off, "content"),
        "half_closed": (replies.half_closed, "content"),
        "garbage": (replies.garbage, "body"),
        "empty_choices": (replies.empty_choices, "nothing"),
    }
)

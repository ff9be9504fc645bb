"""The vocabulary as a script file writes it, `{"word": arguments}`, with its arguments checked."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, validate_call

from mini_agent.testing import vocabulary
from mini_agent.testing.replies import Call, Reply, Scripted

NO_ARGUMENTS: Final[dict[str, JsonValue]] = {}


class BadWord(Exception):
    """A reply that cannot be read; the message names the key."""


class WrittenCall(BaseModel):
    """A native call in a file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="The name of the tool.")
    arguments: dict[str, JsonValue] | str = Field(
        default=NO_ARGUMENTS,
        description="The arguments; given as a string they go out as they are.",
    )
    id: str | None = Field(default=None, description="The id of the call; null makes one up.")


def parsed(written: JsonValue) -> Scripted:
    """The reply that a JSON value stands for; raises `BadWord`."""
    if isinstance(written, str):
        return vocabulary.text(written)
    if not isinstance(written, dict) or len(written) != 1:
        raise BadWord(f'a reply is a string or {{"word": arguments}}, not {_short(written)}')
    word, arguments = next(iter(written.items()))
    if word not in WORDS:
        raise BadWord(f"no word {word!r}; known: {', '.join(sorted(WORDS))}")
    return _said(word, arguments)


def reasons(wrong: ValidationError) -> str:
    """What is wrong, key by key."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc']))!r}: {one['msg'].lower()}" for one in wrong.errors()
    )


def _said(word: str, arguments: JsonValue) -> Scripted:
    function, first = WORDS[word]
    named = arguments if isinstance(arguments, dict) else {first: arguments}
    try:
        return validate_call(function)(**named)
    except ValidationError as wrong:
        raise BadWord(f"{word}: {reasons(wrong)}") from wrong


def _call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return Reply(calls=(Call(name, arguments),))


def _calls(calls: list[WrittenCall], content: str = "") -> Reply:
    several = (Call(one.name, one.arguments, one.id) for one in calls)
    return vocabulary.calls(*several, content=content)


def _json_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return vocabulary.json_call(name, **arguments)


def _fenced_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return vocabulary.fenced_call(name, **arguments)


def _tagged_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return vocabulary.tagged_call(name, **arguments)


def _delayed(reply: JsonValue, seconds: float) -> Scripted:
    return vocabulary.delayed(parsed(reply), seconds)


def _drip(reply: JsonValue, every_s: float = 0.05) -> Scripted:
    return vocabulary.drip(parsed(reply), every_s)


WORDS: Final = MappingProxyType[str, tuple[Callable[..., Scripted], str]](
    {
        "text": (vocabulary.text, "content"),
        "call": (_call, "name"),
        "calls": (_calls, "calls"),
        "json_call": (_json_call, "name"),
        "fenced_call": (_fenced_call, "name"),
        "tagged_call": (_tagged_call, "name"),
        "fenced_code": (vocabulary.fenced_code, "code"),
        "think": (vocabulary.think, "thought"),
        "reasoning_only": (vocabulary.reasoning_only, "thought"),
        "blank": (vocabulary.blank, "content"),
        "null_content": (vocabulary.null_content, "nothing"),
        "truncated": (vocabulary.truncated, "content"),
        "truncated_call": (vocabulary.truncated_call, "name"),
        "refusal": (vocabulary.refusal, "status"),
        "no_tools": (vocabulary.no_tools, "model"),
        "not_pulled": (vocabulary.not_pulled, "model"),
        "server_error": (vocabulary.server_error, "message"),
        "hang": (vocabulary.hang, "nothing"),
        "delayed": (_delayed, "reply"),
        "drip": (_drip, "reply"),
        "breaks_off": (vocabulary.breaks_off, "content"),
        "half_closed": (vocabulary.half_closed, "content"),
        "garbage": (vocabulary.garbage, "body"),
        "empty_choices": (vocabulary.empty_choices, "nothing"),
    }
)


def _short(written: JsonValue) -> str:
    shown = repr(written)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."

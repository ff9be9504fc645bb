"""The vocabulary as a script file writes it, `{"word": arguments}`, with its arguments checked."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, validate_call

from mini_agent.testing import replies
from mini_agent.testing.replies_ import Call, Reply, Scripted

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
        return replies.text(written)
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
    return replies.calls(*several, content=content)


def _json_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return replies.json_call(name, **arguments)


def _fenced_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return replies.fenced_call(name, **arguments)


def _tagged_call(name: str, arguments: dict[str, JsonValue] = NO_ARGUMENTS) -> Reply:
    return replies.tagged_call(name, **arguments)


def _delayed(reply: JsonValue, seconds: float) -> Scripted:
    return replies.delayed(parsed(reply), seconds)


def _drip(reply: JsonValue, every_s: float = 0.05) -> Scripted:
    return replies.drip(parsed(reply), every_s)


WORDS: Final = MappingProxyType[str, tuple[Callable[..., Scripted], str]](
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


def _short(written: JsonValue) -> str:
    shown = repr(written)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."

"""What a scripted model can do when asked, as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | None"
JsonObject: TypeAlias = dict[str, JsonValue]

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a reply says it cost; only OpenAI's format can say how many were cached."""

    prompt: int = 20
    completion: int = 10
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A native tool call. A string as `arguments` goes out as it is, broken or not.

    Left out, the id is made up by the server; an empty one is not sent, as older servers do.
    Ollama's format carries objects only: there, string arguments show up as text of the answer.
    """

    name: str
    arguments: Mapping[str, JsonValue] | str = field(default_factory=dict)
    id: str | None = None

    def as_text(self) -> str:
        """The call as a model writes it, `{"name": ..., "arguments": ...}`."""
        if isinstance(self.arguments, str):
            return f'{{"name": {json.dumps(self.name)}, "arguments": {self.arguments}'
        return json.dumps({"name": self.name, "arguments": dict(self.arguments)})


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's turn: text, native calls, reasoning, in any mixture."""

    content: str | None = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""
    finish: Finish = "stop"
    tokens: Tokens = Tokens()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error in the server's own format; `retry_after` is that header, if not empty."""

    status: int
    message: str
    retry_after: str = ""


@dataclass(frozen=True, slots=True)
class Hang:
    """Nothing at all, until the client or the server leaves."""


@dataclass(frozen=True, slots=True)
class BreaksOff:
    """`content` streams, then an error line; a client that does not stream gets a 500."""

    content: str
    message: str


@dataclass(frozen=True, slots=True)
class HalfClosed:
    """Half of the answer's bytes, then the connection closes."""

    content: str


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body that is not the server's format, such as a proxy's error page."""

    body: str
    status: int
    media_type: str


@dataclass(frozen=True, slots=True)
class NoChoices:
    """A well-formed answer without an answer: `choices: []`, or no `message` from Ollama."""


@dataclass(frozen=True, slots=True)
class Paced:
    """Another reply, but late (`after_s`) or in pieces with pauses between (`every_s`)."""

    reply: Scripted
    after_s: float = 0.0
    every_s: float = 0.0


Scripted: TypeAlias = Reply | Refusal | Hang | BreaksOff | HalfClosed | RawBody | NoChoices | Paced


def as_scripted(reply: object) -> Scripted:
    """The reply meant: a plain string is short for `text(string)`; `TypeError` for the rest."""
    if isinstance(reply, str):
        return Reply(reply)
    if isinstance(reply, Scripted):
        return reply
    raise TypeError(f"not a reply: {reply!r}; use a string or a function of mini_agent.testing")

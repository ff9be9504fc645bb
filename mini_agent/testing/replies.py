"""Replies of a scripted model as values, and the functions that build them for a script."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

JsonValue: TypeAlias = "dict[str, JsonValue] | list[JsonValue] | str | int | float | None"
JsonObject: TypeAlias = dict[str, JsonValue]

Finish = Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """The token usage that a reply reports; only OpenAI's format reports cached tokens."""

    prompt: int = 20
    completion: int = 10
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """A native tool call; a string as `arguments` is sent unchanged, valid JSON or not.

    The server makes up an id if it is None; an empty one is not sent, as older servers do.
    Ollama's format carries objects only: there, string arguments appear in the text of the answer.
    """

    name: str
    arguments: Mapping[str, JsonValue] | str = field(default_factory=dict)
    id: str | None = None

    def as_text(self) -> str:
        """Format the call as a model writes it, `{"name": ..., "arguments": ...}`."""
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
class NoAnswer:
    """No answer at all, until the client or the server closes the connection."""


@dataclass(frozen=True, slots=True)
class StreamError:
    """`content` is streamed, then an error line; a client that does not stream gets a 500."""

    content: str
    message: str


@dataclass(frozen=True, slots=True)
class LostConnection:
    """Half of the answer's bytes, then the connection is closed."""

    content: str


@dataclass(frozen=True, slots=True)
class RawBody:
    """A body that is not the server's format, such as a proxy's error page."""

    body: str
    status: int
    media_type: str


@dataclass(frozen=True, slots=True)
class EmptyChoices:
    """A well-formed answer without an answer: `choices: []`, or no `message` from Ollama."""


@dataclass(frozen=True, slots=True)
class DelayedReply:
    """Another reply after `after_s` seconds, or in pieces `every_s` seconds apart."""

    reply: ScriptedReply
    after_s: float = 0.0
    every_s: float = 0.0


ScriptedReply: TypeAlias = (
    Reply
    | Refusal
    | NoAnswer
    | StreamError
    | LostConnection
    | RawBody
    | EmptyChoices
    | DelayedReply
)


def to_scripted_reply(reply: object) -> ScriptedReply:
    """Convert a string to `text(string)`; raises `TypeError` for what is no reply."""
    if isinstance(reply, str):
        return Reply(reply)
    if isinstance(reply, ScriptedReply):
        return reply
    raise TypeError(f"not a reply: {reply!r}; use a string or a function of mini_agent.testing")


HTML_ERROR_PAGE: Final = "<html><body><h1>502 Bad Gateway</h1></body></html>"
DEFAULT_TOKENS: Final = Tokens()


def text(content: str, *, reasoning: str = "", tokens: Tokens = DEFAULT_TOKENS) -> Reply:
    """An answer in words; `reasoning` goes where the format has a field for it."""
    return Reply(content, reasoning=reasoning, tokens=tokens)


def call(name: str, /, **arguments: JsonValue) -> Reply:
    """One native tool call."""
    return Reply(calls=(Call(name, arguments),))


def calls(*several: Call, content: str = "", tokens: Tokens = DEFAULT_TOKENS) -> Reply:
    """Native tool calls in one turn, with text before them if the model talks too."""
    return Reply(content, calls=several, tokens=tokens)


def json_call(name: str, /, **arguments: JsonValue) -> Reply:
    """A tool call written as bare JSON into the text, as models without tools do."""
    return Reply(Call(name, arguments).as_text())


def fenced_call(name: str, /, **arguments: JsonValue) -> Reply:
    """A tool call as JSON inside a fence."""
    return Reply(f"```json\n{Call(name, arguments).as_text()}\n```")


def tagged_call(name: str, /, **arguments: JsonValue) -> Reply:
    """A tool call inside `<tool_call>` tags that the server did not parse."""
    return Reply(f"<tool_call>\n{Call(name, arguments).as_text()}\n</tool_call>")


def fenced_code(code: str, language: str = "python") -> Reply:
    """A fenced program where a tool call was wanted."""
    return Reply(f"```{language}\n{code}\n```")


def think(thought: str, content: str) -> Reply:
    """An answer behind `<think>` tags; streamed, the tags arrive in pieces."""
    return Reply(f"<think>{thought}</think>{content}")


def reasoning_only(thought: str) -> Reply:
    """All of the answer in the reasoning field, and no content."""
    return Reply("", reasoning=thought)


def blank(content: str = "") -> Reply:
    """Nothing, or only white space."""
    return Reply(content)


def null_content() -> Reply:
    """`content: null`, and no calls either."""
    return Reply(None)


def truncated(content: str) -> Reply:
    """Text that the token limit cut (`finish_reason` "length")."""
    return Reply(content, finish="length")


def truncated_call(name: str, fragment: str = '{"code": "pri') -> Reply:
    """A tool call cut inside its arguments (`finish_reason` "length")."""
    return Reply(calls=(Call(name, fragment),), finish="length")


def refusal(status: int, message: str, *, retry_after: str = "") -> Refusal:
    """Any HTTP error."""
    return Refusal(status, message, retry_after)


def no_tools(model: str = "scripted:latest") -> Refusal:
    """Ollama's 400 for a model whose template has no tools."""
    return Refusal(400, f"registry.ollama.ai/library/{model} does not support tools")


def not_pulled(model: str) -> Refusal:
    """Ollama's 404 for a model that is not on its disk."""
    return Refusal(404, f"model '{model}' not found")


def server_error(
    message: str = "llama runner process has terminated: exit status 2",
) -> Refusal:
    """A 500 before the first byte."""
    return Refusal(500, message)


def hang() -> NoAnswer:
    """The request is taken and never answered."""
    return NoAnswer()


def delayed(reply: ScriptedReply | str, seconds: float) -> DelayedReply:
    """`reply`, after `seconds` of silence."""
    return DelayedReply(to_scripted_reply(reply), after_s=seconds)


def drip(reply: ScriptedReply | str, every_s: float = 0.05) -> DelayedReply:
    """`reply`, piece by piece: a stream chunk at a time, a whole body in ten parts."""
    return DelayedReply(to_scripted_reply(reply), every_s=every_s)


def breaks_off(
    content: str, message: str = "an error was encountered while running the model"
) -> StreamError:
    """An error in the middle of a stream."""
    return StreamError(content, message)


def half_closed(content: str) -> LostConnection:
    """A connection lost in the middle of the answer."""
    return LostConnection(content)


def garbage(
    body: str = HTML_ERROR_PAGE, *, status: int = 200, media_type: str = "text/html"
) -> RawBody:
    """Something that is no model's answer."""
    return RawBody(body, status, media_type)


def empty_choices() -> EmptyChoices:
    """An answer that holds no answer."""
    return EmptyChoices()

"""The model protocol: its request, its reply, and the tool calls of a reply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from pydantic import JsonValue

from mini_agent.messages import Message
from mini_agent.result import Usage
from mini_agent.tools.invoker import Tool

NO_USAGE: Final = Usage()
CallForm = Literal["call", "text", "code"]
OLLAMA_PREFIXES: Final = ("ollama/", "ollama_chat/")
DEFAULT_OLLAMA_NUM_CTX: Final = 8192
# The finish reason of a stream that ended before its server said why.
INCOMPLETE: Final = "incomplete"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model wrote it: `arguments` is its text, valid JSON or not.

    `form` says where it was found: in the reply's list of calls, in its text, or as a block of code
    in place of a call. A call with a `problem` is not run and gets it as its result; `repaired`
    says how the call was found, a sentence each.
    """

    id: str
    name: str
    arguments: str
    form: CallForm = "call"
    problem: str = ""
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """A request for one turn, within `timeout_s` seconds.

    Empty `tools` are not sent at all. `options` are further parameters of the call (max_tokens,
    seed, tool_choice, api_base, ...), passed on unchanged.
    """

    model: str
    messages: list[Message]
    tools: list[Tool]
    timeout_s: float
    temperature: float | None = None
    num_ctx: int | None = None
    options: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelReply:
    """One reply of the model.

    `finish_reason` is OpenAI's: "stop", "tool_calls", "length" or "content_filter"; `INCOMPLETE`
    where the server closed the stream without one.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = NO_USAGE
    model: str = ""


class Model(Protocol):
    """A model that replies to requests."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Returns the reply to `request`; raises `ModelError` when the model fails."""
        ...


def is_ollama(model: str) -> bool:
    """Tells whether Ollama serves `model`; it takes the size of the context with the request."""
    return model.startswith(OLLAMA_PREFIXES)


def context_tokens(model: str, num_ctx: int | None) -> int | None:
    """Returns the context size of `model`, in tokens; None where it is not known."""
    return num_ctx or (DEFAULT_OLLAMA_NUM_CTX if is_ollama(model) else None)

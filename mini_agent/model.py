"""What the loop asks of a model, and what it gets back."""

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


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call as the model wrote it: `arguments` is its text, broken or not.

    `form` tells where it stood: in the reply's own list of calls, in its text, or in a block of
    code for which no call was made. A `problem` is the answer it gets in place of being run;
    `repaired` says how it was found, a sentence each.
    """

    id: str
    name: str
    arguments: str
    form: CallForm = "call"
    problem: str = ""
    repaired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One turn to be answered within `timeout_s` seconds.

    `tools` may be empty: then none are sent, not an empty list. `options` are further parameters
    of the call (max_tokens, seed, tool_choice, api_base, ...), passed on as they are.
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
    """One turn of the model; `finish_reason` is OpenAI's word ("stop", "tool_calls", "length")."""

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    usage: Usage = NO_USAGE
    model: str = ""


class Model(Protocol):
    """Anything that can take the next turn of a conversation."""

    async def reply(self, request: ModelRequest) -> ModelReply:
        """The model's turn; raises `ModelError` when there is none to be had."""
        ...


def is_ollama(model: str) -> bool:
    """Whether Ollama serves `model`, which is told how long a context to make."""
    return model.startswith(OLLAMA_PREFIXES)


def context_tokens(model: str, num_ctx: int | None) -> int | None:
    """How many tokens a conversation with `model` may have; None where nobody knows."""
    return num_ctx or (DEFAULT_OLLAMA_NUM_CTX if is_ollama(model) else None)

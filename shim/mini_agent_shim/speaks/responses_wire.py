"""`/v1/responses` as values."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.messages import JsonObject
from mini_agent.result import Usage
from mini_agent_shim.speaks.chat_wire import CachedTokens, RunFacts


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class TextFormat(_Value):
    """What form the answer is to have."""

    format: JsonObject | None = None


class ResponsesRequest(_Value):
    """What a client asks. Fields that it does not list are taken and have no effect.

    `mini_agent` holds fields of `POST /agent/run`, such as max_iterations.
    """

    model: str = "mini-agent"
    input: str | Annotated[list[JsonObject], Field(min_length=1)]
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    text: TextFormat | None = None
    tools: list[JsonObject] | None = None
    tool_choice: str | JsonObject | None = None
    background: bool | None = None
    conversation: JsonValue = None
    prompt: JsonValue = None
    max_tool_calls: int | None = None
    mini_agent: JsonObject | None = None


class OutputText(_Value):
    """A part of the answer's text."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: tuple[JsonValue, ...] = ()
    logprobs: tuple[JsonValue, ...] = ()


class OutputMessage(_Value):
    """The answer."""

    type: Literal["message"] = "message"
    id: str
    status: Literal["in_progress", "completed"]
    role: Literal["assistant"] = "assistant"
    content: tuple[OutputText, ...] = ()


class SummaryText(_Value):
    """What the run did, in words."""

    type: Literal["summary_text"] = "summary_text"
    text: str


class Reasoning(_Value):
    """What the run did before it came to its answer."""

    type: Literal["reasoning"] = "reasoning"
    id: str
    summary: tuple[SummaryText, ...] = ()


Item: TypeAlias = OutputMessage | Reasoning


class ReasoningTokens(_Value):
    """Model servers do not tell them apart here."""

    reasoning_tokens: int = 0


class ResponseUsage(_Value):
    """Tokens of all the run's model calls together."""

    input_tokens: int
    input_tokens_details: CachedTokens
    output_tokens: int
    output_tokens_details: ReasoningTokens = ReasoningTokens()
    total_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> ResponseUsage:
        """The run's usage in these words."""
        return cls(
            input_tokens=usage.prompt_tokens,
            input_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
            output_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
        )


class ResponseObject(_Value):
    """A run as a response; `tools` is empty, because a client's tools are declined."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    status: Literal["in_progress", "completed"]
    error: None = None
    incomplete_details: None = None
    instructions: str | None
    max_output_tokens: int | None
    model: str
    output: tuple[Item, ...] = ()
    parallel_tool_calls: bool = False
    previous_response_id: str | None
    store: bool = True
    temperature: float | None
    text: JsonValue
    tool_choice: Literal["auto"] = "auto"
    tools: tuple[JsonValue, ...] = ()
    top_p: float | None
    usage: ResponseUsage | None = None
    metadata: dict[str, str] = {}
    mini_agent: RunFacts | None = None

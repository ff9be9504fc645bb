"""`/v1/chat/completions` as values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.messages import JsonObject, Message
from mini_agent.result import AgentResult, AnswerSource, StoppedReason, Usage


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class StreamOptions(_Value):
    """Whether a stream ends with its usage."""

    include_usage: bool | None = None


class ChatRequest(_Value):
    """What a client asks. Fields that it does not list are taken and have no effect.

    `mini_agent` holds fields of `POST /agent/run`, such as max_iterations.
    """

    model: str = "mini-agent"
    messages: Annotated[list[Message], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    seed: int | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: str | list[str] | None = None
    response_format: JsonObject | None = None
    tools: list[JsonObject] | None = None
    functions: list[JsonObject] | None = None
    tool_choice: str | JsonObject | None = None
    function_call: str | JsonObject | None = None
    n: int | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None
    mini_agent: JsonObject | None = None


class RunFacts(_Value):
    """What OpenAI's shape has no word for; all of the run is at `/runs/RUN_ID`."""

    run_id: str
    stopped_reason: StoppedReason
    answer_source: AnswerSource
    iterations: int
    declined_tools: tuple[str, ...] = ()

    @classmethod
    def of(cls, run_id: str, result: AgentResult, names: tuple[str, ...]) -> RunFacts:
        """The facts of one run."""
        return cls(
            run_id=run_id,
            stopped_reason=result.stopped_reason,
            answer_source=result.answer_source,
            iterations=len(result.iterations),
            declined_tools=names,
        )


class CachedTokens(_Value):
    """Tokens of the prompt that the model server had already seen."""

    cached_tokens: int


class ChatUsage(_Value):
    """Tokens of all the run's model calls together."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens

    @classmethod
    def of(cls, usage: Usage) -> ChatUsage:
        """The run's usage in these words."""
        return cls(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            prompt_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
        )


class ChatMessage(_Value):
    """The answer."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class Choice(_Value):
    """The one choice there is."""

    index: int = 0
    message: ChatMessage
    logprobs: None = None
    finish_reason: Literal["stop"] = "stop"


class ChatCompletion(_Value):
    """A finished run as a chat completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[Choice, ...]
    usage: ChatUsage
    mini_agent: RunFacts


class ChunkChoice(_Value):
    """What a chunk adds; `reasoning_content` in the delta tells what the run is doing."""

    index: int = 0
    delta: dict[str, JsonValue]
    logprobs: None = None
    finish_reason: Literal["stop"] | None = None


class ChatChunk(_Value):
    """A piece of a stream; the last one may have no choice and the usage."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: ChatUsage | None = None
    mini_agent: RunFacts | None = None


class ModelCard(_Value):
    """A model by its name."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "mini-agent"


class ModelList(_Value):
    """The models there are."""

    object: Literal["list"] = "list"
    data: tuple[ModelCard, ...]

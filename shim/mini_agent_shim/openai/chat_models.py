"""Chat completions on the wire: the request, the completion, its chunks, and the list of models."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.messages import JsonObject, Message
from mini_agent.result import AgentResult, AnswerSource, FinishReason, StoppedReason, Usage
from mini_agent_protocol.nulls import NullIsAbsent


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class StreamOptions(_Value):
    """Options of a stream."""

    include_usage: bool | None = Field(
        default=None, description="Whether a stream ends with its usage."
    )


class ChatRequest(_Value, NullIsAbsent):
    """A request for a chat completion; fields of `POST /agent/run` may stand beside OpenAI's."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(
        default="mini-agent",
        description="mini-agent for the service's default model, mini-agent/NAME for another.",
    )
    messages: Annotated[
        list[Message], Field(min_length=1, description="The conversation; at least one message.")
    ]
    stream: bool | None = Field(
        default=None, description="Whether the answer is streamed as chunks."
    )
    stream_options: StreamOptions | None = Field(
        default=None, description="What a stream holds beside the answer."
    )
    temperature: float | None = Field(default=None, description="The model's sampling temperature.")
    max_tokens: int | None = Field(
        default=None,
        description="Tokens that a reply of the model may have; superseded by "
        "`max_completion_tokens`.",
    )
    max_completion_tokens: int | None = Field(
        default=None, description="Tokens that a reply of the model may have."
    )
    seed: int | None = Field(default=None, description="The seed of the model's sampling.")
    top_p: float | None = Field(
        default=None, description="The probability mass that the model samples from."
    )
    presence_penalty: float | None = Field(default=None, description="Passed to the model.")
    frequency_penalty: float | None = Field(default=None, description="Passed to the model.")
    stop: str | list[str] | None = Field(
        default=None, description="Texts at which the model stops."
    )
    response_format: JsonObject | None = Field(
        default=None, description="The form of the answer: text, json_object or json_schema."
    )
    tools: list[JsonObject] | None = Field(
        default=None,
        description="The client's own functions, offered to the model; a call of one ends the "
        "answer, and its result is sent with the next request.",
    )
    functions: list[JsonObject] | None = Field(
        default=None, description="The older form of `tools`; they are declined."
    )
    tool_choice: str | JsonObject | None = Field(
        default=None,
        description="auto, none (no function of the client), required, or a function of the "
        "client.",
    )
    function_call: str | JsonObject | None = Field(
        default=None, description="The older form of `tool_choice`."
    )
    n: int | None = Field(default=None, description="How many answers; only 1 is available.")
    logprobs: bool | None = Field(default=None, description="Not available.")
    modalities: list[str] | None = Field(
        default=None, description="Kinds of output; only text is available."
    )
    mini_agent: JsonObject | None = Field(
        default=None,
        description="Fields of `POST /agent/run`, such as max_iterations; they count before the "
        "others.",
    )


class RunFacts(_Value):
    """Facts of the run that OpenAI's API has no field for; the whole run is at `/runs/RUN_ID`."""

    run_id: str = Field(description="The id of the run.")
    stopped_reason: StoppedReason = Field(description="Why the run ended.")
    answer_source: AnswerSource = Field(
        description="Whose words the answer is: the model's, a tool's output, or a notice of "
        "the loop."
    )
    iterations: int = Field(description="How many turns the run had.")
    error: str | None = Field(
        default=None,
        description='What went wrong, as a sentence, where `stopped_reason` is "error"; else null.',
    )
    declined_tools: tuple[str, ...] = Field(
        default=(),
        description="The names of the client's tools that the model was not offered.",
    )
    unused_parameters: tuple[str, ...] = Field(
        default=(), description="The parameters of the request that have no effect here."
    )

    @classmethod
    def of(
        cls,
        run_id: str,
        result: AgentResult,
        declined: tuple[str, ...] = (),
        unused: tuple[str, ...] = (),
    ) -> RunFacts:
        """Return the facts of a run."""
        return cls(
            run_id=run_id,
            stopped_reason=result.stopped_reason,
            answer_source=result.answer_source,
            iterations=len(result.iterations),
            error=result.error,
            declined_tools=declined,
            unused_parameters=unused,
        )


class CachedTokens(_Value):
    """How many tokens of the prompt were cached."""

    cached_tokens: int = Field(
        description="Tokens of the prompt that the model server had already seen."
    )


class ChatUsage(_Value):
    """Tokens of all the run's model calls together."""

    prompt_tokens: int = Field(description="Tokens of the prompts, cached ones included.")
    completion_tokens: int = Field(description="Tokens of the replies.")
    total_tokens: int = Field(description="Both together.")
    prompt_tokens_details: CachedTokens = Field(description="What the prompts' tokens consist of.")

    @classmethod
    def of(cls, usage: Usage) -> ChatUsage:
        """Convert the run's usage."""
        return cls(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            prompt_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
        )


class ChatMessage(_Value):
    """The answer."""

    role: Literal["assistant"] = Field(default="assistant", description="Who speaks.")
    content: str | None = Field(
        description="The text of the answer; null where there are calls and no text."
    )
    refusal: None = Field(default=None, description="Always null.")


class ChatCallMessage(ChatMessage):
    """Calls of the client's functions, and what the model said beside them."""

    tool_calls: tuple[JsonObject, ...] = Field(description="The calls, in OpenAI's form.")


class Choice(_Value):
    """The one choice there is."""

    index: int = Field(default=0, description="The number of the choice; always 0.")
    message: ChatCallMessage | ChatMessage = Field(description="The answer.")
    logprobs: None = Field(default=None, description="Always null.")
    finish_reason: FinishReason = Field(
        description="Why the answer ended: stop for a whole one, tool_calls where the client is "
        "to call its functions, length where a limit or an error stopped the run."
    )


class ChatCompletion(_Value):
    """A finished run as a chat completion."""

    id: str = Field(description="The id of the completion.")
    object: Literal["chat.completion"] = Field(
        default="chat.completion", description="The type of the object."
    )
    created: int = Field(description="When the run was asked for, as Unix time in seconds.")
    model: str = Field(description="The model as the client named it.")
    choices: tuple[Choice, ...] = Field(description="The one choice there is.")
    usage: ChatUsage = Field(description="Tokens of the run.")
    mini_agent: RunFacts = Field(description="Facts of the run.")


class ChunkChoice(_Value):
    """What a chunk adds."""

    index: int = Field(default=0, description="The number of the choice; always 0.")
    delta: dict[str, JsonValue] = Field(
        description="The piece of the message; its `reasoning_content` tells what the run is doing."
    )
    logprobs: None = Field(default=None, description="Always null.")
    finish_reason: FinishReason | None = Field(
        default=None, description="Why the answer ended, at its end; null before."
    )


class ChatChunk(_Value):
    """A piece of a stream."""

    id: str = Field(description="The id of the completion, the same in all chunks.")
    object: Literal["chat.completion.chunk"] = Field(
        default="chat.completion.chunk", description="The type of the object."
    )
    created: int = Field(description="When the run was asked for, as Unix time in seconds.")
    model: str = Field(description="The model as the client named it.")
    choices: tuple[ChunkChoice, ...] = Field(
        description="What the chunk adds; empty in the last one where that holds the usage."
    )
    usage: ChatUsage | None = Field(
        default=None,
        description="Tokens of the run, in the last chunk where the client asked for them; else "
        "null.",
    )
    mini_agent: RunFacts | None = Field(
        default=None, description="Facts of the run, at its end; else null."
    )


class ModelCard(_Value):
    """A model that can be named."""

    id: str = Field(description="The name of the model.")
    object: Literal["model"] = Field(default="model", description="The type of the object.")
    created: int = Field(default=0, description="Always 0: it is not known.")
    owned_by: str = Field(default="mini-agent", description="Who offers the model.")


class ModelList(_Value):
    """The models there are."""

    object: Literal["list"] = Field(default="list", description="The type of the object.")
    data: tuple[ModelCard, ...] = Field(description="The models.")

"""A run as a chat completion, whole or in chunks.

`/v1/chat/completions` as values.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.agent.progress_text import format_progress
from mini_agent.errors import BadRequest
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject, Message
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult, AnswerSource, StoppedReason, Usage
from mini_agent_protocol.sse import format_event
from mini_agent_shim.openai.common import (
    add_declined_note,
    build_run_request,
    decline_tools,
    parse_model,
)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class StreamOptions(_Value):
    """What a stream holds beside the answer."""

    include_usage: bool | None = Field(
        default=None, description="Whether a stream ends with its usage."
    )


class ChatRequest(_Value):
    """What a client asks. Fields that it does not list are taken and have no effect."""

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
        default=None, description="The client's own tools; they are declined."
    )
    functions: list[JsonObject] | None = Field(
        default=None, description="The older form of `tools`; they are declined."
    )
    tool_choice: str | JsonObject | None = Field(
        default=None, description="Which tool is to be called; one that must be is refused."
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
    """What OpenAI's shape has no word for; all of the run is at `/runs/RUN_ID`."""

    run_id: str = Field(description="The id of the run.")
    stopped_reason: StoppedReason = Field(description="Why the run ended.")
    answer_source: AnswerSource = Field(
        description="Whose words the answer is: the model's, a tool's output, or a notice of "
        "the loop."
    )
    iterations: int = Field(description="How many turns the run had.")
    declined_tools: tuple[str, ...] = Field(
        default=(), description="The names of the client's tools, which were not used."
    )

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
        """The run's usage in these words."""
        return cls(
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
            prompt_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
        )


class ChatMessage(_Value):
    """The answer."""

    role: Literal["assistant"] = Field(default="assistant", description="Who speaks.")
    content: str = Field(description="The text of the answer.")
    refusal: None = Field(default=None, description="Always null.")


class Choice(_Value):
    """The one choice there is."""

    index: int = Field(default=0, description="The number of the choice; always 0.")
    message: ChatMessage = Field(description="The answer.")
    logprobs: None = Field(default=None, description="Always null.")
    finish_reason: Literal["stop"] = Field(
        default="stop", description="Why the answer ended; always stop."
    )


class ChatCompletion(_Value):
    """A finished run as a chat completion."""

    id: str = Field(description="The id of the completion.")
    object: Literal["chat.completion"] = Field(
        default="chat.completion", description="The type of the object."
    )
    created: int = Field(description="When the run was request for, as Unix time in seconds.")
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
    finish_reason: Literal["stop"] | None = Field(
        default=None, description="stop at the end of the answer; null before."
    )


class ChatChunk(_Value):
    """A piece of a stream."""

    id: str = Field(description="The id of the completion, the same in all chunks.")
    object: Literal["chat.completion.chunk"] = Field(
        default="chat.completion.chunk", description="The type of the object."
    )
    created: int = Field(description="When the run was request for, as Unix time in seconds.")
    model: str = Field(description="The model as the client named it.")
    choices: tuple[ChunkChoice, ...] = Field(
        description="What the chunk adds; empty in the last one where that holds the usage."
    )
    usage: ChatUsage | None = Field(
        default=None,
        description="Tokens of the run, in the last chunk where the client request for them; else "
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


SAMPLING: Final = ("top_p", "presence_penalty", "frequency_penalty", "stop")
DONE: Final = format_event("[DONE]")


def decline_chat_tools(request: ChatRequest) -> tuple[str, ...]:
    """The names of the client's tools; `BadRequest` where one of them must be called."""
    tools = [*(request.tools or []), *(request.functions or [])]
    return decline_tools(tools, request.tool_choice or request.function_call)


def convert_chat_request(request: ChatRequest) -> AgentRunRequest:
    """The run that a client asks for; `BadRequest` for what a run has not."""
    refused = {
        "n": request.n not in (None, 1),
        "logprobs": bool(request.logprobs),
        "modalities": request.modalities not in (None, ["text"]),
    }
    for name in (name for name, is_asked in refused.items() if is_asked):
        raise BadRequest(f"{name} is not available here", field=name, hint=f"leave {name} out")
    fields = {
        "model": parse_model(request.model),
        "messages": add_declined_note(request.messages, decline_chat_tools(request)),
        "stream": bool(request.stream),
        "temperature": request.temperature,
        "max_tokens": request.max_completion_tokens or request.max_tokens,
        "seed": request.seed,
        "response_format": request.response_format,
        "completion_kwargs": request.model_dump(include=set(SAMPLING), exclude_none=True),
    }
    return build_run_request(fields, request.mini_agent)


@dataclass(frozen=True, slots=True)
class ChatCompletionBuilder:
    """The answer to one request."""

    run_id: str
    request: ChatRequest
    declined_tools: tuple[str, ...]
    created: int = field(default_factory=lambda: int(time.time()))

    def build(self, result: AgentResult) -> ChatCompletion:
        """All of it at once."""
        return ChatCompletion(
            id=self._id,
            created=self.created,
            model=self.request.model,
            choices=(Choice(message=ChatMessage(content=result.final_answer)),),
            usage=ChatUsage.of(result.usage),
            mini_agent=self._facts(result),
        )

    async def stream(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """What the run is doing as reasoning, then the answer, as server-sent events."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, RunStarted):
                    yield self._sent({"role": "assistant", "content": ""})
                elif isinstance(event, Stopped):
                    yield self._sent({"content": event.result.final_answer})
                    yield self._closing(event.result)
                    if self._tells_usage:
                        yield self._usage(event.result)
                    yield DONE
                elif told := format_progress(event):
                    yield self._sent({"reasoning_content": told})

    @property
    def _id(self) -> str:
        return f"chatcmpl-{self.run_id}"

    @property
    def _tells_usage(self) -> bool:
        options = self.request.stream_options
        return bool(options and options.include_usage)

    def _facts(self, result: AgentResult) -> RunFacts:
        return RunFacts.of(self.run_id, result, self.declined_tools)

    def _sent(self, delta: JsonObject) -> str:
        return _format_chunk(self._chunk((ChunkChoice(delta=delta),)))

    def _closing(self, result: AgentResult) -> str:
        choice = ChunkChoice(delta={}, finish_reason="stop")
        return _format_chunk(
            self._chunk((choice,)).model_copy(update={"mini_agent": self._facts(result)})
        )

    def _usage(self, result: AgentResult) -> str:
        usage = ChatUsage.of(result.usage)
        return _format_chunk(self._chunk(()).model_copy(update={"usage": usage}))

    def _chunk(self, choices: tuple[ChunkChoice, ...]) -> ChatChunk:
        return ChatChunk(
            id=self._id, created=self.created, model=self.request.model, choices=choices
        )


def _format_chunk(chunk: ChatChunk) -> str:
    left_out = {name for name in ("usage", "mini_agent") if getattr(chunk, name) is None}
    return format_event(chunk.model_dump_json(exclude=left_out))

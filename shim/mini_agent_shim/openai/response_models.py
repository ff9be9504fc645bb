"""The Responses API on the wire: what a client sends to `/v1/responses`, and what it gets back."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.messages import JsonObject
from mini_agent.result import Usage
from mini_agent_protocol.nulls import NullIsAbsent
from mini_agent_shim.openai.chat_models import CachedTokens, RunFacts


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class TextFormat(_Value):
    """What form the answer is to have."""

    format: JsonObject | None = Field(
        default=None,
        description="The form of the answer: text, json_object or json_schema; null means text.",
    )
    verbosity: str | None = Field(default=None, description="Passed to the model.")


class ResponsesRequest(_Value, NullIsAbsent):
    """What a client asks; fields of `POST /agent/run` may stand beside OpenAI's."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(
        default="mini-agent",
        description="mini-agent for the service's default model, mini-agent/NAME for another.",
    )
    input: str | Annotated[list[JsonObject], Field(min_length=1)] = Field(
        description="A text, or the items of the conversation; at least one."
    )
    instructions: str | None = Field(
        default=None, description="What the model is told before the conversation."
    )
    previous_response_id: str | None = Field(
        default=None, description="The response whose conversation this one goes on with."
    )
    stream: bool | None = Field(
        default=None, description="Whether the answer is streamed as events."
    )
    temperature: float | None = Field(default=None, description="The model's sampling temperature.")
    top_p: float | None = Field(
        default=None, description="The probability mass that the model samples from."
    )
    max_output_tokens: int | None = Field(
        default=None, description="Tokens that a reply of the model may have."
    )
    text: TextFormat | None = Field(default=None, description="The form of the answer.")
    tools: list[JsonObject] | None = Field(
        default=None,
        description="The client's own tools: functions are offered to the model, others declined.",
    )
    tool_choice: str | JsonObject | None = Field(
        default=None,
        description="auto, none (no function of the client), required, or a function of the "
        "client.",
    )
    reasoning: JsonObject | None = Field(
        default=None, description="Its effort is passed to the model."
    )
    background: bool | None = Field(default=None, description="Not available.")
    conversation: JsonValue = Field(default=None, description="Not available.")
    prompt: JsonValue = Field(default=None, description="Not available.")
    max_tool_calls: int | None = Field(default=None, description="Not available.")
    mini_agent: JsonObject | None = Field(
        default=None,
        description="Fields of `POST /agent/run`, such as max_iterations; they count before the "
        "others.",
    )


class OutputText(_Value):
    """A part of the answer's text."""

    type: Literal["output_text"] = Field(
        default="output_text", description="Tells the parts apart."
    )
    text: str = Field(description="The text of the answer.")
    annotations: tuple[JsonValue, ...] = Field(default=(), description="Always empty.")
    logprobs: tuple[JsonValue, ...] = Field(default=(), description="Always empty.")


class OutputMessage(_Value):
    """The answer."""

    type: Literal["message"] = Field(default="message", description="Tells the items apart.")
    id: str = Field(description="The id of the item.")
    status: Literal["in_progress", "completed"] = Field(
        description="Whether the message is complete."
    )
    role: Literal["assistant"] = Field(default="assistant", description="Who speaks.")
    content: tuple[OutputText, ...] = Field(default=(), description="The parts of the text.")


class SummaryText(_Value):
    """What the run did, in words."""

    type: Literal["summary_text"] = Field(
        default="summary_text", description="Tells the parts apart."
    )
    text: str = Field(description="What the run did.")


class Reasoning(_Value):
    """What the run did before it came to its answer."""

    type: Literal["reasoning"] = Field(default="reasoning", description="Tells the items apart.")
    id: str = Field(description="The id of the item.")
    summary: tuple[SummaryText, ...] = Field(
        default=(), description="What the run did, step by step."
    )


class FunctionCall(_Value):
    """A call of one of the client's functions, which the client is to carry out."""

    type: Literal["function_call"] = Field(
        default="function_call", description="Tells the items apart."
    )
    id: str = Field(description="The id of the item.")
    call_id: str = Field(description="The id of the call, which its result names.")
    name: str = Field(description="The name of the function.")
    arguments: str = Field(description="The arguments, as JSON text.")
    status: Literal["in_progress", "completed"] = Field(
        default="completed", description="Whether the call is complete."
    )


Item: TypeAlias = OutputMessage | Reasoning | FunctionCall


class IncompleteDetails(_Value):
    """Why a response is incomplete."""

    reason: str = Field(
        description="max_output_tokens where a limit stopped the run, or content_filter; "
        "`mini_agent.stopped_reason` says which limit."
    )


class ResponseError(_Value):
    """Why a response failed."""

    code: Literal["server_error"] = Field(default="server_error", description="Always the same.")
    message: str = Field(description="What went wrong, as a sentence.")


class ReasoningTokens(_Value):
    """Model servers do not tell them apart here."""

    reasoning_tokens: int = Field(
        default=0, description="Always 0: they are a part of the output's tokens."
    )


class ResponseUsage(_Value):
    """Tokens of all the run's model calls together."""

    input_tokens: int = Field(description="Tokens of the prompts, cached ones included.")
    input_tokens_details: CachedTokens = Field(description="What the prompts' tokens consist of.")
    output_tokens: int = Field(description="Tokens of the replies.")
    output_tokens_details: ReasoningTokens = Field(
        default=ReasoningTokens(), description="What the replies' tokens consist of."
    )
    total_tokens: int = Field(description="Both together.")

    @classmethod
    def of(cls, usage: Usage) -> ResponseUsage:
        """Convert the run's usage."""
        return cls(
            input_tokens=usage.prompt_tokens,
            input_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
            output_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
        )


class ResponseObject(_Value):
    """A run as a response."""

    id: str = Field(description="The id of the response, resp_ and the id of the run.")
    object: Literal["response"] = Field(default="response", description="The type of the object.")
    created_at: int = Field(description="When the run was asked for, as Unix time in seconds.")
    status: Literal["in_progress", "completed", "incomplete", "failed"] = Field(
        description="Whether the run has ended, and how: incomplete where a limit stopped it."
    )
    error: ResponseError | None = Field(
        default=None, description="Why the run failed; null where it did not."
    )
    incomplete_details: IncompleteDetails | None = Field(
        default=None, description="Why the answer is incomplete; null where it is whole."
    )
    instructions: str | None = Field(description="The instructions of the request.")
    max_output_tokens: int | None = Field(
        description="The bound on a reply's tokens that the request named."
    )
    model: str = Field(description="The model as the client named it.")
    output: tuple[Item, ...] = Field(default=(), description="What the run did, and the answer.")
    parallel_tool_calls: bool = Field(default=False, description="Always false.")
    previous_response_id: str | None = Field(
        description="The response that this one follows; null for none."
    )
    store: bool = Field(default=True, description="Always true: the run is at `/runs/RUN_ID`.")
    temperature: float | None = Field(description="The temperature that the request named.")
    text: JsonValue = Field(description="The form of the answer.")
    tool_choice: Literal["auto"] = Field(default="auto", description="Always auto.")
    tools: tuple[JsonValue, ...] = Field(
        default=(), description="Always empty; the client knows its tools."
    )
    top_p: float | None = Field(description="The top_p that the request named.")
    usage: ResponseUsage | None = Field(
        default=None, description="Tokens of the run; null until it has ended."
    )
    metadata: dict[str, str] = Field(default={}, description="Always empty.")
    mini_agent: RunFacts | None = Field(
        default=None, description="Facts of the run; null until it has ended."
    )

"""The result of a run: the answer, why it stopped, and every turn and tool call."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.messages import Attachment, JsonObject, Message
from mini_agent_protocol.execution import Execution

StoppedReason: TypeAlias = Literal[
    "success", "tool_calls", "max_iterations", "budget", "stagnation", "error", "cancelled"
]
AnswerSource: TypeAlias = Literal["model", "tool_output", "notice"]
FinishReason: TypeAlias = Literal["stop", "tool_calls", "length", "content_filter"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Usage(_Value):
    """Tokens, and their price in US dollars where the model's price is known."""

    prompt_tokens: int = Field(
        default=0, description="Tokens of the prompts, cached ones included."
    )
    completion_tokens: int = Field(default=0, description="Tokens of the replies.")
    cached_tokens: int = Field(
        default=0, description="Tokens of the prompts that the model server took from its cache."
    )
    cost: float = Field(
        default=0.0, description="Price in US dollars; 0 where the model's price is not known."
    )

    @property
    def total_tokens(self) -> int:
        """Prompt and completion; cached tokens are part of the prompt."""
        return self.prompt_tokens + self.completion_tokens

    def plus(self, other: Usage) -> Usage:
        """Adds the two usages."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost=self.cost + other.cost,
        )


class ToolInvocation(_Value):
    """One executed tool call, with its result."""

    tool_call_id: str = Field(description="The id of the call, unique within the run.")
    name: str = Field(description="The tool that ran.")
    requested_name: str = Field(description="The tool's name as the model wrote it.")
    arguments: dict[str, JsonValue] = Field(description="The arguments the tool got.")
    ok: bool = Field(description="Whether the call succeeded.")
    rc: int | None = Field(
        description="The exit code, 0 or that of the program; null where the call never ran."
    )
    stdout: str = Field(default="", description="What the tool wrote to its standard output.")
    stderr: str = Field(default="", description="What the tool wrote to its standard error.")
    text: str = Field(description="What the model is shown of the result.")
    error: str | None = Field(
        default=None,
        description="Why the call never ran, or what its tool reports as an error; null for "
        "neither.",
    )
    duration_ms: float = Field(description="Duration of the call, in milliseconds.")
    execution: Execution | None = Field(
        default=None, description="The execution, where a sandbox ran the call; else null."
    )
    attachments: tuple[Attachment, ...] = Field(
        default=(), description="Images and files that the tool gave beside its text."
    )


class Iteration(_Value):
    """One turn: the model's reply, and the tool calls it made.

    A turn that was requested again, without tools, counts the time and tokens of both replies.
    """

    index: int = Field(description="The number of the turn, from 1.")
    model: str = Field(description="The model that replied.")
    model_text: str = Field(description="The text of the reply.")
    reasoning: str = Field(
        default="",
        description="The model's reasoning, where its server sends it apart from the text; else "
        "empty.",
    )
    finish_reason: str = Field(
        description='Why the model server ended the reply, in its words, such as "stop" or '
        '"length".'
    )
    tool_invocations: tuple[ToolInvocation, ...] = Field(
        default=(), description="The tool calls of the turn, in the order of the reply."
    )
    repaired: tuple[str, ...] = Field(
        default=(), description="What was put right in the reply before it was used."
    )
    model_ms: float = Field(description="Time spent waiting for the model, in milliseconds.")
    usage: Usage = Field(default=Usage(), description="Tokens and price of the turn.")


class AgentResult(_Value):
    """A finished run."""

    final_answer: str = Field(description="The answer; never blank.")
    answer_source: AnswerSource = Field(
        description="Whose words the answer is: the model's, a tool's output, or a notice of "
        "the loop."
    )
    stopped_reason: StoppedReason = Field(description="Why the run ended.")
    messages: list[Message] = Field(
        description="The whole transcript, the caller's messages first."
    )
    iterations: tuple[Iteration, ...] = Field(description="Every turn, in order.")
    used_model: str = Field(description="The model that answered last.")
    usage: Usage = Field(
        default=Usage(), description="Tokens and price of all model calls together."
    )
    error: str | None = Field(
        default=None,
        description='What went wrong, as a sentence, where `stopped_reason` is "error"; else null.',
    )
    escalated: bool = Field(default=False, description="Whether `escalate_model` took over.")
    tool_calls: tuple[JsonObject, ...] = Field(
        default=(),
        description="Calls of the caller's own tools, in OpenAI's form, which the caller is to "
        'carry out, where `stopped_reason` is "tool_calls"; else empty.',
    )
    total_ms: float = Field(description="Duration of the whole run, in milliseconds.")

    @property
    def finish_reason(self) -> FinishReason:
        """Why the answer ended, in the words of OpenAI's API: `stop` for a whole answer only."""
        if self.stopped_reason == "tool_calls":
            return "tool_calls"
        if self.stopped_reason != "success":
            return "length"
        return _convert_finish_reason(self.iterations[-1].finish_reason if self.iterations else "")

    @property
    def model_ms(self) -> float:
        """Time spent waiting for the model, in milliseconds."""
        return sum(each.model_ms for each in self.iterations)

    @property
    def tool_ms(self) -> float:
        """Time spent in tools, in milliseconds."""
        return sum(call.duration_ms for each in self.iterations for call in each.tool_invocations)

    @property
    def last_tool_invocation(self) -> ToolInvocation | None:
        """The last tool call; None where there was none."""
        calls = [call for each in self.iterations for call in each.tool_invocations]
        return calls[-1] if calls else None


def _convert_finish_reason(of_the_model: str) -> FinishReason:
    if of_the_model in ("length", "content_filter"):
        return "content_filter" if of_the_model == "content_filter" else "length"
    return "stop"

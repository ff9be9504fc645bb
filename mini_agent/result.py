"""What a run came to: the answer, why it stopped, and every turn and tool call on the way."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, JsonValue

from mini_agent.messages import Message
from mini_agent.sandbox.execution import Execution
from mini_agent.tools.attachment import Attachment

StoppedReason: TypeAlias = Literal[
    "success", "max_iterations", "budget", "stagnation", "error", "cancelled"
]
AnswerSource: TypeAlias = Literal["model", "tool_output", "notice"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Usage(_Value):
    """Tokens, and their price in US dollars where the model's price is known."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    cost: float = 0.0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion; cached tokens are part of the prompt."""
        return self.prompt_tokens + self.completion_tokens

    def plus(self, other: Usage) -> Usage:
        """The two together."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cost=self.cost + other.cost,
        )


class ToolInvocation(_Value):
    """One tool call: what was asked, what came of it, and `text`, which the model got to read.

    `name` is the tool that ran, `requested_name` what the model wrote. `rc` is None and `error`
    says why when the call never ran; `execution` is there when a sandbox ran it. `attachments` are
    the images and files that a tool gave beside its text.
    """

    tool_call_id: str
    name: str
    requested_name: str
    arguments: dict[str, JsonValue]
    ok: bool
    rc: int | None
    stdout: str = ""
    stderr: str = ""
    text: str
    error: str | None = None
    duration_ms: float
    execution: Execution | None = None
    attachments: tuple[Attachment, ...] = ()


class Iteration(_Value):
    """One turn: what the model said, and the tool calls it made. `index` counts from 1.

    `repaired` names what was put right in the reply before it was used. A turn that had to be
    asked again, without tools, counts the time and tokens of both replies.
    """

    index: int
    model: str
    model_text: str
    reasoning: str = ""
    finish_reason: str
    tool_invocations: tuple[ToolInvocation, ...] = ()
    repaired: tuple[str, ...] = ()
    model_ms: float
    usage: Usage = Usage()


class AgentResult(_Value):
    """A finished run. `final_answer` is never blank; `answer_source` says whose words it is.

    `messages` is the whole transcript, the caller's messages first. `error` is the sentence that
    says what went wrong when `stopped_reason` is "error". `escalated` tells that `escalate_model`
    took over.
    """

    final_answer: str
    answer_source: AnswerSource
    stopped_reason: StoppedReason
    messages: list[Message]
    iterations: tuple[Iteration, ...]
    used_model: str
    usage: Usage = Usage()
    error: str | None = None
    escalated: bool = False
    total_ms: float

    @property
    def model_ms(self) -> float:
        """Time spent waiting for the model."""
        return sum(each.model_ms for each in self.iterations)

    @property
    def tool_ms(self) -> float:
        """Time spent in tools."""
        return sum(call.duration_ms for each in self.iterations for call in each.tool_invocations)

    @property
    def last_tool_invocation(self) -> ToolInvocation | None:
        """The newest tool call, if there was any."""
        calls = [call for each in self.iterations for call in each.tool_invocations]
        return calls[-1] if calls else None

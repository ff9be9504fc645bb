"""What happens in a run, as it happens: one frozen value for each thing worth telling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.result import AgentResult, ToolInvocation, Usage


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class RunStarted(_Event):
    """The messages are in order, the tools are listed, and the clock runs."""

    kind: Literal["run_started"] = "run_started"
    model: str
    tools: tuple[str, ...]
    max_iterations: int
    max_wallclock_seconds: float


class ModelAsked(_Event):
    """A request goes out, which shows the model `shown_messages` of the conversation.

    `because` is empty for the first request of a turn, else it says why the turn is asked again.
    """

    kind: Literal["model_asked"] = "model_asked"
    iteration: int
    model: str
    shown_messages: int
    tools_offered: int
    because: str = ""


class RequestedCall(_Event):
    """A call as the model wrote it, its arguments broken or not."""

    id: str
    name: str
    arguments: str


class ModelReplied(_Event):
    """A turn of the model. `is_last_word` means that it belongs to the iteration before.

    `repaired` says what was put right so that there is a reply that can be used.
    """

    kind: Literal["model_replied"] = "model_replied"
    iteration: int
    is_last_word: bool = False
    model: str
    text: str
    reasoning: str
    calls: tuple[RequestedCall, ...]
    finish_reason: str
    repaired: tuple[str, ...] = ()
    usage: Usage
    model_ms: float


class UnderstoodCall(_Event):
    """A call as it is handed to its tool, under the id that its answer will carry."""

    id: str
    name: str
    arguments: dict[str, JsonValue]


class CallsUnderstood(_Event):
    """The calls of a turn, before any of them is carried out."""

    kind: Literal["calls_understood"] = "calls_understood"
    iteration: int
    calls: tuple[UnderstoodCall, ...]


class CallRepaired(_Event):
    """What a call plainly meant was put in place of what it said."""

    kind: Literal["call_repaired"] = "call_repaired"
    iteration: int
    tool_call_id: str
    repaired: tuple[str, ...]


class ToolStarted(_Event):
    """A call is handed to its tool."""

    kind: Literal["tool_started"] = "tool_started"
    iteration: int
    tool_call_id: str
    name: str
    arguments: dict[str, JsonValue]


class ToolOutputPiece(_Event):
    """A piece of a running tool's output, from an invoker that streams."""

    kind: Literal["tool_output"] = "tool_output"
    iteration: int
    tool_call_id: str
    stream: Literal["stdout", "stderr"]
    text: str


class ToolFinished(_Event):
    """A call has come to its end, also one that was refused or cut off."""

    kind: Literal["tool_finished"] = "tool_finished"
    iteration: int
    invocation: ToolInvocation


class Observation(_Event):
    """What the model is shown next: of a call, or, where `tool_call_id` is None, by the loop."""

    kind: Literal["observation"] = "observation"
    iteration: int
    tool_call_id: str | None
    text: str


class Stopped(_Event):
    """The run is over; nothing follows."""

    kind: Literal["stopped"] = "stopped"
    result: AgentResult


Event: TypeAlias = Annotated[
    RunStarted
    | ModelAsked
    | ModelReplied
    | CallsUnderstood
    | CallRepaired
    | ToolStarted
    | ToolOutputPiece
    | ToolFinished
    | Observation
    | Stopped,
    Field(discriminator="kind"),
]
Listener: TypeAlias = Callable[[Event], None]


def unheard(event: Event) -> None:
    """The listener of a run that nobody listens to."""
    del event

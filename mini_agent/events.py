"""The events of a run, frozen values that are emitted as they happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.result import AgentResult, ToolInvocation, Usage


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class RunStarted(_Event):
    """The run has started: its messages are checked and its tools are listed."""

    kind: Literal["run_started"] = Field(
        default="run_started", description="Tells the events apart."
    )
    model: str = Field(description="The model of the run.")
    tools: tuple[str, ...] = Field(description="The names of the tools that the model is offered.")
    max_iterations: int = Field(description="Turns that may call tools.")
    max_wallclock_seconds: float = Field(description="Seconds the whole run may take.")


class ModelAsked(_Event):
    """A request is sent to the model."""

    kind: Literal["model_asked"] = Field(
        default="model_asked", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    model: str = Field(description="The model that is asked.")
    shown_messages: int = Field(
        description="How many messages of the conversation the model is shown."
    )
    tools_offered: int = Field(description="How many tools the model is offered.")
    because: str = Field(
        default="", description="Why the turn is asked again; empty for its first request."
    )


class RequestedCall(_Event):
    """A call as the model wrote it, its arguments valid JSON or not."""

    id: str = Field(description="The id the model server gave the call; may be empty.")
    name: str = Field(description="The tool's name as the model wrote it.")
    arguments: str = Field(
        description="The arguments as the model wrote them: JSON text, perhaps broken."
    )


class ModelReplied(_Event):
    """The model has replied."""

    kind: Literal["model_replied"] = Field(
        default="model_replied", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    is_last_word: bool = Field(
        default=False,
        description="Whether it is the answer without tools that belongs to the iteration before.",
    )
    model: str = Field(description="The model that replied.")
    text: str = Field(description="The text of the reply.")
    reasoning: str = Field(
        description="The model's reasoning, where its server sends it apart from the text; else "
        "empty."
    )
    calls: tuple[RequestedCall, ...] = Field(description="The calls as the model wrote them.")
    finish_reason: str = Field(description="Why the model server ended the reply, in its words.")
    repaired: tuple[str, ...] = Field(
        default=(), description="What was put right so that there is a reply that can be used."
    )
    usage: Usage = Field(description="Tokens and price of the reply.")
    model_ms: float = Field(description="Time spent waiting for the model, in milliseconds.")


class UnderstoodCall(_Event):
    """A resolved call, with the id that its result has."""

    id: str = Field(
        description="The id of the call, unique within the run; its answer carries the same."
    )
    name: str = Field(description="The tool that runs.")
    arguments: dict[str, JsonValue] = Field(description="The arguments the tool gets.")


class CallsUnderstood(_Event):
    """The calls of a turn are resolved; none of them is executed yet."""

    kind: Literal["calls_understood"] = Field(
        default="calls_understood", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    calls: tuple[UnderstoodCall, ...] = Field(
        description="The calls that will be carried out, in order."
    )


class CallRepaired(_Event):
    """A call was repaired."""

    kind: Literal["call_repaired"] = Field(
        default="call_repaired", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    tool_call_id: str = Field(description="The id of the call.")
    repaired: tuple[str, ...] = Field(description="What was put right, one text each.")


class ToolStarted(_Event):
    """The execution of a call has started."""

    kind: Literal["tool_started"] = Field(
        default="tool_started", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    tool_call_id: str = Field(description="The id of the call.")
    name: str = Field(description="The tool that runs.")
    arguments: dict[str, JsonValue] = Field(description="The arguments the tool gets.")


class ToolOutputPiece(_Event):
    """A piece of the output of a running tool, from an invoker that streams."""

    kind: Literal["tool_output"] = Field(
        default="tool_output", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    tool_call_id: str = Field(description="The id of the call.")
    stream: Literal["stdout", "stderr"] = Field(description="The stream the piece was written to.")
    text: str = Field(description="The piece, in the order it was written.")


class ToolFinished(_Event):
    """A call has ended, also one that was refused or cut off."""

    kind: Literal["tool_finished"] = Field(
        default="tool_finished", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    invocation: ToolInvocation = Field(description="The call with its result.")


class Observation(_Event):
    """A message to the model: the result of a call, or a directive of the loop."""

    kind: Literal["observation"] = Field(
        default="observation", description="Tells the events apart."
    )
    iteration: int = Field(description="The number of the turn, from 1.")
    tool_call_id: str | None = Field(
        description="The call it is the result of; null where the loop says it."
    )
    text: str = Field(description="The text the model is shown.")


class Stopped(_Event):
    """The run has ended; this is its last event."""

    kind: Literal["stopped"] = Field(default="stopped", description="Tells the events apart.")
    result: AgentResult = Field(description="The finished run.")


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


def ignore_event(event: Event) -> None:
    """Ignores an event; the listener of a run without one."""
    del event

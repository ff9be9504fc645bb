"""The models of the run log: its lines, and the summary that lists show.

A streamed run sends the events of `mini_agent.events` themselves, without the log's `seq` and `at`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.errors import ErrorBody
from mini_agent.events import Event, ModelReplied, RunStarted, Stopped, ToolFinished
from mini_agent.messages import Message, replace_surrogates
from mini_agent.result import AgentResult, StoppedReason, Usage

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
EntryPoint: TypeAlias = Literal["agent", "chat", "responses"]

IN_PROGRESS: Final = ("queued", "running")
_HEAD: Final = re.compile(rb'\{"seq":(\d+),"at":[\d.e+]+,"event":\{"kind":"(\w+)"')
MAX_PREVIEW_CHARS: Final = 300


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunQueued(_Value):
    """The first line of the log."""

    kind: Literal["run_queued"] = Field(default="run_queued", description="Tells the events apart.")
    run_id: str = Field(description="The id of the run.")
    request_id: str = Field(description="The id of the request, as in the X-Request-Id header.")
    caller: str = Field(description="The name of the caller's token; empty where none is asked.")
    door: EntryPoint = Field(description="The API that the request came through.")
    request: dict[str, JsonValue] = Field(description="The request, without its secrets.")


class RunEnded(_Value):
    """The last line."""

    kind: Literal["run_ended"] = Field(default="run_ended", description="Tells the events apart.")
    state: State = Field(description="How the run ended.")
    error: ErrorBody | None = Field(
        default=None,
        description="Why the run could not begin, or was lost; null where it came to its end.",
    )


LogEvent: TypeAlias = Annotated[Event | RunQueued | RunEnded, Field(discriminator="kind")]


class LogLine(_Value):
    """One line of the log."""

    seq: int = Field(description="The number of the line, from 1.")
    at: float = Field(description="When the line was written, as Unix time in seconds.")
    event: LogEvent = Field(description="What happened.")


def parse_line_head(line: bytes) -> tuple[int, str]:
    """Return the number and the event kind of a line, without parsing all of it."""
    found = _HEAD.match(line)
    if found is None:
        raise ValueError(f"no line of a run log: {line[:80]!r}")
    return int(found[1]), found[2].decode()


def run_state(result: AgentResult) -> State:
    """Return the final state of a run with this result."""
    match result.stopped_reason:
        case "error":
            return "failed"
        case "cancelled":
            return "cancelled"
        case _:
            return "done"


class RunSummary(BaseModel):
    """Where a run stands."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(description="The id of the run.")
    state: State = Field(default="queued", description="Where the run stands.")
    door: EntryPoint = Field(default="agent", description="The API that the request came through.")
    caller: str = Field(default="", description="the name of the token; empty where none is asked")
    request_id: str = Field(
        default="", description="The id of the request, as in the X-Request-Id header."
    )
    model: str = Field(description="The model of the run, or the one that answered last.")
    prompt: str = Field(
        default="",
        description="The beginning of what the caller asked last, at most 300 characters.",
    )
    created_at: float = Field(description="When the run was asked for, as Unix time in seconds.")
    started_at: float | None = Field(
        default=None, description="When the run began, as Unix time; null while it waits."
    )
    ended_at: float | None = Field(
        default=None, description="When the run ended, as Unix time; null until then."
    )
    max_iterations: int | None = Field(
        default=None, description="Turns that may call tools; null until the run begins."
    )
    iterations: int = Field(default=0, description="Turns so far.")
    tool_calls: int = Field(default=0, description="Tool calls that have ended so far.")
    usage: Usage = Field(default=Usage(), description="Tokens and price so far.")
    stopped_reason: StoppedReason | None = Field(
        default=None, description="Why the loop ended; null until then."
    )
    answer: str = Field(
        default="",
        description="The beginning of the answer, at most 300 characters; empty until then.",
    )
    error: str | None = Field(
        default=None, description="What went wrong, as a sentence; null for nothing."
    )

    @property
    def is_over(self) -> bool:
        """Tell whether the run has ended."""
        return self.state not in IN_PROGRESS

    def apply(self, event: Event) -> RunSummary:
        """Return the summary after `event`."""
        match event:
            case RunStarted():
                return self.model_copy(update={"max_iterations": event.max_iterations})
            case ModelReplied():
                usage = self.usage.plus(event.usage)
                turns = max(self.iterations, event.iteration)
                return self.model_copy(update={"usage": usage, "iterations": turns})
            case ToolFinished():
                return self.model_copy(update={"tool_calls": self.tool_calls + 1})
            case Stopped(result=result):
                changes = {
                    "stopped_reason": result.stopped_reason,
                    "answer": replace_surrogates(result.final_answer[:MAX_PREVIEW_CHARS]),
                    "error": result.error and replace_surrogates(result.error),
                    "model": result.used_model,
                    "usage": result.usage,
                }
                return self.model_copy(update=changes)
            case _:
                return self


def preview_prompt(messages: Sequence[Message]) -> str:
    """Return the beginning of the last user message, at most `MAX_PREVIEW_CHARS`."""
    from_user = [message for message in messages if message.get("role") == "user"]
    content = (from_user or messages)[-1].get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = " ".join(part for part in parts if isinstance(part, str))
    return replace_surrogates(content[:MAX_PREVIEW_CHARS]) if isinstance(content, str) else ""

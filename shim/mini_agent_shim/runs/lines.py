"""The log of a run, line by line: the loop's events, and around them how it was asked and ended."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.errors import ErrorBody
from mini_agent.events import Event
from mini_agent.result import AgentResult

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
Door: TypeAlias = Literal["agent", "chat", "responses"]

IN_PROGRESS: Final = ("queued", "running")
_HEAD: Final = re.compile(rb'\{"seq":(\d+),"at":[\d.e+]+,"event":\{"kind":"(\w+)"')


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunQueued(_Value):
    """The first line of the log."""

    kind: Literal["run_queued"] = Field(default="run_queued", description="Tells the events apart.")
    run_id: str = Field(description="The id of the run.")
    request_id: str = Field(description="The id of the request, as in the X-Request-Id header.")
    caller: str = Field(description="The name of the caller's token; empty where none is asked.")
    door: Door = Field(description="The API that the request came through.")
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


def head_of(line: bytes) -> tuple[int, str]:
    """The number and the kind of a written line, without reading all of it."""
    found = _HEAD.match(line)
    if found is None:
        raise ValueError(f"no line of a run log: {line[:80]!r}")
    return int(found[1]), found[2].decode()


def state_of(result: AgentResult) -> State:
    """How a run that the loop brought to its end is counted."""
    match result.stopped_reason:
        case "error":
            return "failed"
        case "cancelled":
            return "cancelled"
        case _:
            return "done"

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
    """The first line: who asked for what, through which door. Secrets are left out."""

    kind: Literal["run_queued"] = "run_queued"
    run_id: str
    request_id: str
    caller: str
    door: Door
    request: dict[str, JsonValue]


class RunEnded(_Value):
    """The last line; `error` is there where the run could not begin, or was lost."""

    kind: Literal["run_ended"] = "run_ended"
    state: State
    error: ErrorBody | None = None


LogEvent: TypeAlias = Annotated[Event | RunQueued | RunEnded, Field(discriminator="kind")]


class LogLine(_Value):
    """One line: its number, counted from 1, when it was written (Unix time), and the event."""

    seq: int
    at: float
    event: LogEvent


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

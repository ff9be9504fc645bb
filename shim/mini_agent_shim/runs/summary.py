"""A run in a few words, as the list of runs shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from mini_agent.events import Event, ModelReplied, RunStarted, Stopped, ToolFinished
from mini_agent.messages import Message, encodable
from mini_agent.result import StoppedReason, Usage
from mini_agent_shim.runs.lines import IN_PROGRESS, Door, State

SHOWN_CHARS: Final = 300


class RunSummary(BaseModel):
    """Where a run stands. Times are Unix time; `prompt` and `answer` are their beginnings."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    state: State = "queued"
    door: Door = "agent"
    caller: str = Field(default="", description="the name of the token; empty where none is asked")
    request_id: str = ""
    model: str
    prompt: str = ""
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    max_iterations: int | None = None
    iterations: int = 0
    tool_calls: int = 0
    usage: Usage = Usage()
    stopped_reason: StoppedReason | None = None
    answer: str = ""
    error: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self.state not in IN_PROGRESS

    def after(self, event: Event) -> RunSummary:
        """The summary once `event` has happened."""
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
                told = {
                    "stopped_reason": result.stopped_reason,
                    "answer": encodable(result.final_answer[:SHOWN_CHARS]),
                    "error": result.error and encodable(result.error),
                    "model": result.used_model,
                    "usage": result.usage,
                }
                return self.model_copy(update=told)
            case _:
                return self


def prompt_in(messages: Sequence[Message]) -> str:
    """The beginning of what the caller asked last."""
    asked = [message for message in messages if message.get("role") == "user"]
    content = (asked or messages)[-1].get("content")
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        content = " ".join(part for part in parts if isinstance(part, str))
    return encodable(content[:SHOWN_CHARS]) if isinstance(content, str) else ""

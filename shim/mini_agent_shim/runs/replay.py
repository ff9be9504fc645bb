"""Reads a run's log back: its request, result, artifacts and events."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import PurePosixPath
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.errors import ErrorBody
from mini_agent.events import Event, Stopped, ToolFinished
from mini_agent.result import AgentResult, ToolInvocation
from mini_agent_shim.runs.schema import (
    LogLine,
    RunEnded,
    RunQueued,
    parse_line_head,
)

FILE_SUFFIXES: Final = {
    "text/html": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/json": ".json",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/svg+xml": ".svg",
}
RECORD_KINDS: Final = ("run_queued", "tool_finished", "stopped", "run_ended")


class ArtifactFacts(BaseModel):
    """A file, a figure or a value that a run has left; its bytes are at `artifacts/NUMBER`."""

    model_config = ConfigDict(frozen=True)

    number: int = Field(
        description="The number of the file within the run, from 1; a part of its address."
    )
    name: str = Field(description="The name of the file.")
    media_type: str = Field(description="The media type of the content.")
    bytes: int = Field(description="The size of the content, in bytes.")
    iteration: int = Field(description="The turn that made it, from 1.")
    tool_call_id: str = Field(description="The id of the call that made it.")


class StoredArtifact(BaseModel):
    """An artifact with its content."""

    model_config = ConfigDict(frozen=True)

    facts: ArtifactFacts = Field(description="All that is listed of the file.")
    content: bytes = Field(description="The content of the file.")


class RunRecord(BaseModel):
    """What a log holds so far."""

    model_config = ConfigDict(frozen=True)

    request: dict[str, JsonValue] = Field(description="The request, without its secrets.")
    result: AgentResult | None = Field(
        default=None, description="The finished run; null until then."
    )
    error: ErrorBody | None = Field(
        default=None, description="Why the run could not begin, or was lost; null for nothing."
    )
    artifacts: tuple[StoredArtifact, ...] = Field(
        default=(), description="The files that the run has left so far."
    )


async def read_run_record(lines: AsyncGenerator[bytes, None]) -> RunRecord:
    """Read all lines into a record."""
    request: dict[str, JsonValue] = {}
    result: AgentResult | None = None
    error: ErrorBody | None = None
    artifacts: list[StoredArtifact] = []
    async with aclosing(lines):
        async for line in lines:
            match _parse_event(line):
                case RunQueued(request=recorded):
                    request = recorded
                case Stopped(result=finished):
                    result = finished
                case RunEnded(error=why):
                    error = why
                case ToolFinished(iteration=turn, invocation=call):
                    artifacts.extend(_call_artifacts(call, turn, len(artifacts)))
                case _:
                    pass
    return RunRecord(request=request, result=result, error=error, artifacts=tuple(artifacts))


async def replay_events(lines: AsyncGenerator[bytes, None]) -> AsyncGenerator[Event, None]:
    """Yield the loop's events of the lines."""
    async with aclosing(lines):
        async for line in lines:
            event = LogLine.model_validate_json(line).event
            if not isinstance(event, RunQueued | RunEnded):
                yield event


def _parse_event(line: bytes) -> object:
    _, kind = parse_line_head(line)
    return LogLine.model_validate_json(line).event if kind in RECORD_KINDS else None


def _call_artifacts(call: ToolInvocation, iteration: int, before: int) -> Iterator[StoredArtifact]:
    for number, (name, media_type, content) in enumerate(_call_contents(call), start=before + 1):
        facts = ArtifactFacts(
            number=number,
            name=name,
            media_type=media_type,
            bytes=len(content),
            iteration=iteration,
            tool_call_id=call.tool_call_id,
        )
        yield StoredArtifact(facts=facts, content=content)


def _call_contents(call: ToolInvocation) -> Iterator[tuple[str, str, bytes]]:
    for each in call.attachments:
        yield each.name, each.media_type, base64.b64decode(each.base64)
    if call.execution is None:
        return
    for file in call.execution.artifacts:
        yield PurePosixPath(file.path).name, file.media_type, base64.b64decode(file.base64)
    for count, value in enumerate(call.execution.rich, start=1):
        content = (value.text or "").encode("utf-8", "replace")
        if value.base64 is not None:
            content = base64.b64decode(value.base64)
        yield f"shown-{count}{FILE_SUFFIXES.get(value.media_type, '')}", value.media_type, content

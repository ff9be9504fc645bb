"""A run as a response, whole or as the events of a stream."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from pydantic import BaseModel

from mini_agent.agent.normalize import INSTRUCTING
from mini_agent.agent.progress_text import progress_of
from mini_agent.errors import BadRequest
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject, Message, system
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent_protocol.sse import format_event
from mini_agent_shim.openai.chat import RunFacts
from mini_agent_shim.openai.common import (
    declined,
    model_named,
    run_asked,
    with_note,
)
from mini_agent_shim.openai.conversation import messages_in
from mini_agent_shim.openai.responses_wire import (
    Item,
    OutputMessage,
    OutputText,
    Reasoning,
    ResponseObject,
    ResponsesRequest,
    ResponseUsage,
    SummaryText,
)

REFUSED: Final = ("background", "conversation", "prompt", "max_tool_calls")
PREFIX: Final = "resp_"


def run_of_responses(asked: ResponsesRequest, earlier: Sequence[Message]) -> AgentRunRequest:
    """The run that a client asks for, after the messages of an `earlier` one."""
    for name in REFUSED:
        if getattr(asked, name):
            raise BadRequest(f"{name} is not available here", field=name, hint=f"leave {name} out")
    said = [each for each in earlier if each.get("role") not in INSTRUCTING]
    instructions = [system(asked.instructions)] if asked.instructions else []
    messages = [*instructions, *said, *messages_in(asked.input)]
    fields = {
        "model": model_named(asked.model),
        "messages": with_note(messages, declined(asked.tools, asked.tool_choice)),
        "stream": bool(asked.stream),
        "temperature": asked.temperature,
        "max_tokens": asked.max_output_tokens,
        "response_format": _format(asked),
        "completion_kwargs": {} if asked.top_p is None else {"top_p": asked.top_p},
    }
    return run_asked(fields, asked.mini_agent)


@dataclass(frozen=True, slots=True)
class Responding:
    """The answer to one request."""

    run_id: str
    asked: ResponsesRequest
    declined: tuple[str, ...]
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, result: AgentResult, before: Sequence[Item] = ()) -> ResponseObject:
        """All of it at once; `before` are the items that a stream has told already."""
        facts = {
            "status": "completed",
            "output": (*before, self._message(result.final_answer)),
            "usage": ResponseUsage.of(result.usage),
            "mini_agent": RunFacts.of(self.run_id, result, self.declined),
        }
        return self._begun().model_copy(update=facts)

    async def pieces(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """What the run does as the summary of its reasoning, then the answer."""
        stream = _Stream()
        told = ""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, RunStarted):
                    for text in self._opening(stream):
                        yield text
                elif isinstance(event, Stopped):
                    for text in self._closing(stream, event.result, told):
                        yield text
                elif said := progress_of(event):
                    told += said
                    yield stream.text(
                        "response.reasoning_summary_text.delta", delta=said, **self._reasoned
                    )

    def _opening(self, stream: _Stream) -> Iterator[str]:
        begun = _plain(self._begun())
        reasoning = _plain(Reasoning(id=self._reasoning_id))
        part = _plain(SummaryText(text=""))
        yield stream.text("response.created", response=begun)
        yield stream.text("response.in_progress", response=begun)
        yield stream.text("response.output_item.added", output_index=0, item=reasoning)
        yield stream.text("response.reasoning_summary_part.added", part=part, **self._reasoned)

    def _closing(self, stream: _Stream, result: AgentResult, told: str) -> Iterator[str]:
        summary = SummaryText(text=told)
        reasoning = Reasoning(id=self._reasoning_id, summary=(summary,))
        part = _plain(summary)
        yield stream.text("response.reasoning_summary_text.done", text=told, **self._reasoned)
        yield stream.text("response.reasoning_summary_part.done", part=part, **self._reasoned)
        yield stream.text("response.output_item.done", output_index=0, item=_plain(reasoning))
        yield from self._answer(stream, result.final_answer)
        whole = _plain(self.whole(result, (reasoning,)))
        yield stream.text("response.completed", response=whole)

    def _answer(self, stream: _Stream, answer: str) -> Iterator[str]:
        opened = _plain(OutputMessage(id=self._message_id, status="in_progress"))
        empty, part = _plain(OutputText(text="")), _plain(OutputText(text=answer))
        place: JsonObject = {"item_id": self._message_id, "output_index": 1, "content_index": 0}
        yield stream.text("response.output_item.added", output_index=1, item=opened)
        yield stream.text("response.content_part.added", part=empty, **place)
        yield stream.text("response.output_text.delta", delta=answer, logprobs=[], **place)
        yield stream.text("response.output_text.done", text=answer, logprobs=[], **place)
        yield stream.text("response.content_part.done", part=part, **place)
        done = _plain(self._message(answer))
        yield stream.text("response.output_item.done", output_index=1, item=done)

    @property
    def _reasoned(self) -> JsonObject:
        return {"item_id": self._reasoning_id, "output_index": 0, "summary_index": 0}

    @property
    def _message_id(self) -> str:
        return f"msg_{self.run_id}"

    @property
    def _reasoning_id(self) -> str:
        return f"rs_{self.run_id}"

    def _message(self, answer: str) -> OutputMessage:
        content = (OutputText(text=answer),)
        return OutputMessage(id=self._message_id, status="completed", content=content)

    def _begun(self) -> ResponseObject:
        form = self.asked.text.format if self.asked.text else None
        return ResponseObject(
            id=f"{PREFIX}{self.run_id}",
            created_at=self.created,
            status="in_progress",
            instructions=self.asked.instructions,
            max_output_tokens=self.asked.max_output_tokens,
            model=self.asked.model,
            previous_response_id=self.asked.previous_response_id,
            temperature=self.asked.temperature,
            text={"format": form or {"type": "text"}},
            top_p=self.asked.top_p,
        )


class _Stream:
    """Numbers the events of one stream."""

    def __init__(self) -> None:
        self._numbers = count()

    def text(self, kind: str, **fields: object) -> str:
        said = {"type": kind, "sequence_number": next(self._numbers), **fields}
        return format_event(json.dumps(said, ensure_ascii=True), event=kind)


def _format(asked: ResponsesRequest) -> JsonObject | None:
    form = asked.text.format if asked.text else None
    if form is None or form.get("type") != "json_schema":
        return form
    schema: JsonObject = {name: value for name, value in form.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def _plain(value: BaseModel) -> JsonObject:
    said: JsonObject = value.model_dump(mode="json")
    return said

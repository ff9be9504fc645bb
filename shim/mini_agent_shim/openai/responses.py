"""`/v1/responses`: converts a request to a run, and a run to a response, whole or streamed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from pydantic import BaseModel, JsonValue

from mini_agent.agent.normalize import INSTRUCTION_ROLES
from mini_agent.agent.progress_text import format_progress
from mini_agent.errors import BadRequest
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject, Message, system, tool_result, user
from mini_agent.remote.openai_parameters import find_unused, refuse_unsupported
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent_protocol.sse import format_event
from mini_agent_shim.openai.chat_models import RunFacts
from mini_agent_shim.openai.common import (
    ClientTools,
    add_declined_note,
    build_run_request,
    choose_tools,
    model_parameters,
    parse_model,
    read_client_tools,
    split_extra,
)
from mini_agent_shim.openai.response_models import (
    FunctionCall,
    IncompleteDetails,
    Item,
    OutputMessage,
    OutputText,
    Reasoning,
    ResponseError,
    ResponseObject,
    ResponsesRequest,
    ResponseUsage,
    SummaryText,
)

TEXT_PARTS: Final = ("input_text", "output_text", "text", "summary_text")
# OpenAI knows two reasons; which limit it was, `mini_agent.stopped_reason` says.
INCOMPLETE_REASONS: Final = {"length": "max_output_tokens", "content_filter": "content_filter"}
ID_PREFIX: Final = "resp_"


def convert_responses_request(
    request: ResponsesRequest, earlier: Sequence[Message]
) -> AgentRunRequest:
    """Convert the request to a run request, after the messages of an `earlier` response.

    Raises `BadRequest` for unsupported fields and content.
    """
    given = request.model_dump(exclude_none=True)
    refuse_unsupported(given)
    extra = split_extra(request.model_extra or {}, ResponsesRequest.model_fields)
    tools = read_client_tools(request.tools, request.tool_choice)
    previous = [each for each in earlier if each.get("role") not in INSTRUCTION_ROLES]
    instructions = [system(request.instructions)] if request.instructions else []
    messages = [*instructions, *previous, *parse_input(request.input)]
    fields = {
        "model": parse_model(request.model),
        "messages": add_declined_note(messages, tools.declined),
        "stream": bool(request.stream),
        "temperature": request.temperature,
        "max_tokens": request.max_output_tokens,
        "response_format": _response_format(request),
        "client_tools": tools.offered or None,
        "completion_kwargs": choose_tools(_model_parameters(request, given), tools),
    }
    return build_run_request(fields | extra, request.mini_agent)


def _model_parameters(request: ResponsesRequest, given: JsonObject) -> JsonObject:
    effort = request.reasoning.get("effort") if request.reasoning else None
    verbosity = request.text.verbosity if request.text else None
    flat = {"reasoning_effort": effort, "verbosity": verbosity, **given}
    return model_parameters(flat)


@dataclass(frozen=True, slots=True)
class ResponseBuilder:
    """Builds the response to one request, whole or as events."""

    run_id: str
    request: ResponsesRequest
    tools: ClientTools
    created: int = field(default_factory=lambda: int(time.time()))

    def build(self, result: AgentResult, before: Sequence[Item] = ()) -> ResponseObject:
        """Return the response; `before` are output items that a stream has sent already."""
        unused = find_unused(self.request.model_dump(exclude_none=True))
        facts = {
            **_build_ending(result),
            "output": (*before, *self._answer_items(result)),
            "usage": ResponseUsage.of(result.usage),
            "mini_agent": RunFacts.of(self.run_id, result, self.tools.declined, unused),
        }
        return self._create_response().model_copy(update=facts)

    async def stream(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """Yield the progress as a reasoning summary, then the answer, as server-sent events."""
        stream = _EventWriter()
        summary = ""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, RunStarted):
                    for text in self._format_start(stream):
                        yield text
                elif isinstance(event, Stopped):
                    for text in self._format_end(stream, event.result, summary):
                        yield text
                elif progress := format_progress(event):
                    summary += progress
                    yield stream.write(
                        "response.reasoning_summary_text.delta",
                        delta=progress,
                        **self._summary_place,
                    )

    def _format_start(self, stream: _EventWriter) -> Iterator[str]:
        begun = _dump(self._create_response())
        reasoning = _dump(Reasoning(id=self._reasoning_id))
        part = _dump(SummaryText(text=""))
        yield stream.write("response.created", response=begun)
        yield stream.write("response.in_progress", response=begun)
        yield stream.write("response.output_item.added", output_index=0, item=reasoning)
        yield stream.write(
            "response.reasoning_summary_part.added", part=part, **self._summary_place
        )

    def _format_end(self, stream: _EventWriter, result: AgentResult, summary: str) -> Iterator[str]:
        text = SummaryText(text=summary)
        reasoning = Reasoning(id=self._reasoning_id, summary=(text,))
        part = _dump(text)
        yield stream.write(
            "response.reasoning_summary_text.done", text=summary, **self._summary_place
        )
        yield stream.write("response.reasoning_summary_part.done", part=part, **self._summary_place)
        yield stream.write("response.output_item.done", output_index=0, item=_dump(reasoning))
        for index, item in enumerate(self._answer_items(result), start=1):
            if isinstance(item, FunctionCall):
                yield from _format_call(stream, index, item)
            else:
                yield from self._format_answer(stream, result.final_answer)
        built = self.build(result, (reasoning,))
        yield stream.write(f"response.{built.status}", response=_dump(built))

    def _format_answer(self, stream: _EventWriter, answer: str) -> Iterator[str]:
        opened = _dump(OutputMessage(id=self._message_id, status="in_progress"))
        empty, part = _dump(OutputText(text="")), _dump(OutputText(text=answer))
        place: JsonObject = {"item_id": self._message_id, "output_index": 1, "content_index": 0}
        yield stream.write("response.output_item.added", output_index=1, item=opened)
        yield stream.write("response.content_part.added", part=empty, **place)
        yield stream.write("response.output_text.delta", delta=answer, logprobs=[], **place)
        yield stream.write("response.output_text.done", text=answer, logprobs=[], **place)
        yield stream.write("response.content_part.done", part=part, **place)
        done = _dump(self._message(answer))
        yield stream.write("response.output_item.done", output_index=1, item=done)

    @property
    def _summary_place(self) -> JsonObject:
        return {"item_id": self._reasoning_id, "output_index": 0, "summary_index": 0}

    @property
    def _message_id(self) -> str:
        return f"msg_{self.run_id}"

    @property
    def _reasoning_id(self) -> str:
        return f"rs_{self.run_id}"

    def _answer_items(self, result: AgentResult) -> Iterator[OutputMessage | FunctionCall]:
        if not result.tool_calls or result.answer_source != "notice":
            yield self._message(result.final_answer)
        for call in result.tool_calls:
            yield _build_call(call)

    def _message(self, answer: str) -> OutputMessage:
        content = (OutputText(text=answer),)
        return OutputMessage(id=self._message_id, status="completed", content=content)

    def _create_response(self) -> ResponseObject:
        form = self.request.text.format if self.request.text else None
        return ResponseObject(
            id=f"{ID_PREFIX}{self.run_id}",
            created_at=self.created,
            status="in_progress",
            instructions=self.request.instructions,
            max_output_tokens=self.request.max_output_tokens,
            model=self.request.model,
            previous_response_id=self.request.previous_response_id,
            temperature=self.request.temperature,
            text={"format": form or {"type": "text"}},
            top_p=self.request.top_p,
        )


class _EventWriter:
    """Numbers the events of one stream."""

    def __init__(self) -> None:
        self._numbers = count()

    def write(self, kind: str, **fields: object) -> str:
        fields = {"type": kind, "sequence_number": next(self._numbers), **fields}
        return format_event(json.dumps(fields, ensure_ascii=True), event=kind)


def _build_ending(result: AgentResult) -> dict[str, object]:
    if result.stopped_reason == "error":
        message = result.error or result.final_answer
        return {"status": "failed", "error": ResponseError(message=message)}
    if result.finish_reason in INCOMPLETE_REASONS:
        reason = INCOMPLETE_REASONS[result.finish_reason]
        return {"status": "incomplete", "incomplete_details": IncompleteDetails(reason=reason)}
    return {"status": "completed"}


def _build_call(call: JsonObject) -> FunctionCall:
    function = call["function"]
    named = function if isinstance(function, dict) else {}
    return FunctionCall(
        id=f"fc_{call['id']}",
        call_id=str(call["id"]),
        name=str(named.get("name")),
        arguments=str(named.get("arguments")),
    )


def _format_call(stream: _EventWriter, index: int, call: FunctionCall) -> Iterator[str]:
    opened = _dump(call.model_copy(update={"arguments": "", "status": "in_progress"}))
    place: JsonObject = {"item_id": call.id, "output_index": index}
    yield stream.write("response.output_item.added", output_index=index, item=opened)
    yield stream.write("response.function_call_arguments.delta", delta=call.arguments, **place)
    yield stream.write(
        "response.function_call_arguments.done", name=call.name, arguments=call.arguments, **place
    )
    yield stream.write("response.output_item.done", output_index=index, item=_dump(call))


def _dump(value: BaseModel) -> JsonObject:
    dumped: JsonObject = value.model_dump(mode="json")
    return dumped


def _response_format(request: ResponsesRequest) -> JsonObject | None:
    form = request.text.format if request.text else None
    if form is None or form.get("type") != "json_schema":
        return form
    schema: JsonObject = {name: value for name, value in form.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def parse_input(items: str | Sequence[JsonObject]) -> list[Message]:
    """Convert input items to messages; raises `BadRequest` for parts that no model takes.

    Items that are a client's own notes, such as reasoning, are skipped.
    """
    if isinstance(items, str):
        return [user(items)]
    messages = list(_parse_items(items))
    if not messages:
        raise BadRequest("input holds no message", field="input")
    return messages


def _parse_items(items: Sequence[JsonObject]) -> Iterator[Message]:
    for index, item in enumerate(items):
        field = f"input[{index}]"
        match item.get("type", "message"):
            case "message":
                yield {
                    "role": item.get("role"),
                    "content": _parse_content(field, item.get("content")),
                }
            case "function_call" | "custom_tool_call":
                yield {"role": "assistant", "content": "", "tool_calls": [_parse_call(item)]}
            case "function_call_output" | "custom_tool_call_output":
                yield tool_result(str(item.get("call_id")), _parse_text(field, item.get("output")))
            case "item_reference":
                raise BadRequest(
                    f"{field}: items are not kept here", field="input", hint="send them whole"
                )
            case _:
                pass


def _parse_call(item: JsonObject) -> JsonObject:
    arguments = item.get("arguments")
    written = arguments if isinstance(arguments, str) else json.dumps({"input": item.get("input")})
    function: JsonObject = {"name": item.get("name"), "arguments": written}
    return {"id": item.get("call_id"), "type": "function", "function": function}


def _parse_text(field: str, content: JsonValue) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    shown = [_parse_part(field, part) for part in parts if isinstance(part, dict)]
    return "\n".join(str(part["text"]) for part in shown if part["type"] == "text")


def _parse_content(field: str, content: JsonValue) -> JsonValue:
    if not isinstance(content, list):
        return content
    return [_parse_part(field, part) if isinstance(part, dict) else part for part in content]


def _parse_part(field: str, part: JsonObject) -> JsonObject:
    kind = part.get("type")
    if kind in TEXT_PARTS:
        return {"type": "text", "text": part.get("text")}
    if kind == "refusal":
        return {"type": "text", "text": part.get("refusal")}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        return {"type": "image_url", "image_url": {"url": part["image_url"]}}
    raise BadRequest(
        f"{field}: a part of type {kind!r:.60} cannot be shown to a model here",
        field="input",
        hint="there is input_text, and input_image with an image_url",
    )

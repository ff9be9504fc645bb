"""A run as a response, whole or as the events of a stream.

`/v1/responses` as values.

The input of `/v1/responses` as messages.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from mini_agent.agent.normalize import INSTRUCTION_ROLES
from mini_agent.agent.progress_text import format_progress
from mini_agent.errors import BadRequest
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject, Message, system, tool_result, user
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult, Usage
from mini_agent_protocol.sse import format_event
from mini_agent_shim.openai.chat import CachedTokens, RunFacts
from mini_agent_shim.openai.common import (
    add_declined_note,
    build_run_request,
    decline_tools,
    parse_model,
)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class TextFormat(_Value):
    """What form the answer is to have."""

    format: JsonObject | None = Field(
        default=None,
        description="The form of the answer: text, json_object or json_schema; null means text.",
    )


class ResponsesRequest(_Value):
    """What a client asks. Fields that it does not list are taken and have no effect."""

    model: str = Field(
        default="mini-agent",
        description="mini-agent for the service's default model, mini-agent/NAME for another.",
    )
    input: str | Annotated[list[JsonObject], Field(min_length=1)] = Field(
        description="A text, or the items of the conversation; at least one."
    )
    instructions: str | None = Field(
        default=None, description="What the model is told before the conversation."
    )
    previous_response_id: str | None = Field(
        default=None, description="The response whose conversation this one goes on with."
    )
    stream: bool | None = Field(
        default=None, description="Whether the answer is streamed as events."
    )
    temperature: float | None = Field(default=None, description="The model's sampling temperature.")
    top_p: float | None = Field(
        default=None, description="The probability mass that the model samples from."
    )
    max_output_tokens: int | None = Field(
        default=None, description="Tokens that a reply of the model may have."
    )
    text: TextFormat | None = Field(default=None, description="The form of the answer.")
    tools: list[JsonObject] | None = Field(
        default=None, description="The client's own tools; they are declined."
    )
    tool_choice: str | JsonObject | None = Field(
        default=None, description="Which tool is to be called; one that must be is refused."
    )
    background: bool | None = Field(default=None, description="Not available.")
    conversation: JsonValue = Field(default=None, description="Not available.")
    prompt: JsonValue = Field(default=None, description="Not available.")
    max_tool_calls: int | None = Field(default=None, description="Not available.")
    mini_agent: JsonObject | None = Field(
        default=None,
        description="Fields of `POST /agent/run`, such as max_iterations; they count before the "
        "others.",
    )


class OutputText(_Value):
    """A part of the answer's text."""

    type: Literal["output_text"] = Field(
        default="output_text", description="Tells the parts apart."
    )
    text: str = Field(description="The text of the answer.")
    annotations: tuple[JsonValue, ...] = Field(default=(), description="Always empty.")
    logprobs: tuple[JsonValue, ...] = Field(default=(), description="Always empty.")


class OutputMessage(_Value):
    """The answer."""

    type: Literal["message"] = Field(default="message", description="Tells the items apart.")
    id: str = Field(description="The id of the item.")
    status: Literal["in_progress", "completed"] = Field(
        description="Whether the message is complete."
    )
    role: Literal["assistant"] = Field(default="assistant", description="Who speaks.")
    content: tuple[OutputText, ...] = Field(default=(), description="The parts of the text.")


class SummaryText(_Value):
    """What the run did, in words."""

    type: Literal["summary_text"] = Field(
        default="summary_text", description="Tells the parts apart."
    )
    text: str = Field(description="What the run did.")


class Reasoning(_Value):
    """What the run did before it came to its answer."""

    type: Literal["reasoning"] = Field(default="reasoning", description="Tells the items apart.")
    id: str = Field(description="The id of the item.")
    summary: tuple[SummaryText, ...] = Field(
        default=(), description="What the run did, step by step."
    )


Item: TypeAlias = OutputMessage | Reasoning


class ReasoningTokens(_Value):
    """Model servers do not tell them apart here."""

    reasoning_tokens: int = Field(
        default=0, description="Always 0: they are a part of the output's tokens."
    )


class ResponseUsage(_Value):
    """Tokens of all the run's model calls together."""

    input_tokens: int = Field(description="Tokens of the prompts, cached ones included.")
    input_tokens_details: CachedTokens = Field(description="What the prompts' tokens consist of.")
    output_tokens: int = Field(description="Tokens of the replies.")
    output_tokens_details: ReasoningTokens = Field(
        default=ReasoningTokens(), description="What the replies' tokens consist of."
    )
    total_tokens: int = Field(description="Both together.")

    @classmethod
    def of(cls, usage: Usage) -> ResponseUsage:
        """The run's usage in these words."""
        return cls(
            input_tokens=usage.prompt_tokens,
            input_tokens_details=CachedTokens(cached_tokens=usage.cached_tokens),
            output_tokens=usage.completion_tokens,
            total_tokens=usage.total_tokens,
        )


class ResponseObject(_Value):
    """A run as a response."""

    id: str = Field(description="The id of the response, resp_ and the id of the run.")
    object: Literal["response"] = Field(default="response", description="The type of the object.")
    created_at: int = Field(description="When the run was request for, as Unix time in seconds.")
    status: Literal["in_progress", "completed"] = Field(description="Whether the run has ended.")
    error: None = Field(
        default=None, description="Always null: an error is a problem and no response."
    )
    incomplete_details: None = Field(default=None, description="Always null.")
    instructions: str | None = Field(description="The instructions of the request.")
    max_output_tokens: int | None = Field(
        description="The bound on a reply's tokens that the request named."
    )
    model: str = Field(description="The model as the client named it.")
    output: tuple[Item, ...] = Field(default=(), description="What the run did, and the answer.")
    parallel_tool_calls: bool = Field(default=False, description="Always false.")
    previous_response_id: str | None = Field(
        description="The response that this one follows; null for none."
    )
    store: bool = Field(default=True, description="Always true: the run is at `/runs/RUN_ID`.")
    temperature: float | None = Field(description="The temperature that the request named.")
    text: JsonValue = Field(description="The form of the answer.")
    tool_choice: Literal["auto"] = Field(default="auto", description="Always auto.")
    tools: tuple[JsonValue, ...] = Field(
        default=(), description="Always empty, because a client's tools are declined."
    )
    top_p: float | None = Field(description="The top_p that the request named.")
    usage: ResponseUsage | None = Field(
        default=None, description="Tokens of the run; null until it has ended."
    )
    metadata: dict[str, str] = Field(default={}, description="Always empty.")
    mini_agent: RunFacts | None = Field(
        default=None, description="Facts of the run; null until it has ended."
    )


TEXT_PARTS: Final = ("input_text", "output_text", "text", "summary_text")


def parse_input(given: str | Sequence[JsonObject]) -> list[Message]:
    """The messages; `BadRequest` for a part that cannot be shown to a model.

    Items that are only the client's own notes, such as reasoning, are left out.
    """
    if isinstance(given, str):
        return [user(given)]
    messages = list(_parse_items(given))
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


def _parse_text(field: str, given: JsonValue) -> str:
    if isinstance(given, str):
        return given
    parts = given if isinstance(given, list) else []
    shown = [_parse_part(field, part) for part in parts if isinstance(part, dict)]
    return "\n".join(str(part["text"]) for part in shown if part["type"] == "text")


def _parse_content(field: str, given: JsonValue) -> JsonValue:
    if not isinstance(given, list):
        return given
    return [_parse_part(field, part) if isinstance(part, dict) else part for part in given]


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


UNSUPPORTED_FIELDS: Final = ("background", "conversation", "prompt", "max_tool_calls")
ID_PREFIX: Final = "resp_"


def convert_responses_request(
    request: ResponsesRequest, earlier: Sequence[Message]
) -> AgentRunRequest:
    """The run that a client asks for, after the messages of an `earlier` one."""
    for name in UNSUPPORTED_FIELDS:
        if getattr(request, name):
            raise BadRequest(f"{name} is not available here", field=name, hint=f"leave {name} out")
    said = [each for each in earlier if each.get("role") not in INSTRUCTION_ROLES]
    instructions = [system(request.instructions)] if request.instructions else []
    messages = [*instructions, *said, *parse_input(request.input)]
    fields = {
        "model": parse_model(request.model),
        "messages": add_declined_note(messages, decline_tools(request.tools, request.tool_choice)),
        "stream": bool(request.stream),
        "temperature": request.temperature,
        "max_tokens": request.max_output_tokens,
        "response_format": _response_format(request),
        "completion_kwargs": {} if request.top_p is None else {"top_p": request.top_p},
    }
    return build_run_request(fields, request.mini_agent)


@dataclass(frozen=True, slots=True)
class ResponseBuilder:
    """The answer to one request."""

    run_id: str
    request: ResponsesRequest
    declined_tools: tuple[str, ...]
    created: int = field(default_factory=lambda: int(time.time()))

    def build(self, result: AgentResult, before: Sequence[Item] = ()) -> ResponseObject:
        """All of it at once; `before` are the items that a stream has told already."""
        facts = {
            "status": "completed",
            "output": (*before, self._message(result.final_answer)),
            "usage": ResponseUsage.of(result.usage),
            "mini_agent": RunFacts.of(self.run_id, result, self.declined_tools),
        }
        return self._begun().model_copy(update=facts)

    async def stream(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """What the run does as the summary of its reasoning, then the answer."""
        stream = _EventWriter()
        told = ""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, RunStarted):
                    for text in self._opening(stream):
                        yield text
                elif isinstance(event, Stopped):
                    for text in self._closing(stream, event.result, told):
                        yield text
                elif said := format_progress(event):
                    told += said
                    yield stream.text(
                        "response.reasoning_summary_text.delta", delta=said, **self._reasoned
                    )

    def _opening(self, stream: _EventWriter) -> Iterator[str]:
        begun = _dump(self._begun())
        reasoning = _dump(Reasoning(id=self._reasoning_id))
        part = _dump(SummaryText(text=""))
        yield stream.text("response.created", response=begun)
        yield stream.text("response.in_progress", response=begun)
        yield stream.text("response.output_item.added", output_index=0, item=reasoning)
        yield stream.text("response.reasoning_summary_part.added", part=part, **self._reasoned)

    def _closing(self, stream: _EventWriter, result: AgentResult, told: str) -> Iterator[str]:
        summary = SummaryText(text=told)
        reasoning = Reasoning(id=self._reasoning_id, summary=(summary,))
        part = _dump(summary)
        yield stream.text("response.reasoning_summary_text.done", text=told, **self._reasoned)
        yield stream.text("response.reasoning_summary_part.done", part=part, **self._reasoned)
        yield stream.text("response.output_item.done", output_index=0, item=_dump(reasoning))
        yield from self._answer(stream, result.final_answer)
        whole = _dump(self.build(result, (reasoning,)))
        yield stream.text("response.completed", response=whole)

    def _answer(self, stream: _EventWriter, answer: str) -> Iterator[str]:
        opened = _dump(OutputMessage(id=self._message_id, status="in_progress"))
        empty, part = _dump(OutputText(text="")), _dump(OutputText(text=answer))
        place: JsonObject = {"item_id": self._message_id, "output_index": 1, "content_index": 0}
        yield stream.text("response.output_item.added", output_index=1, item=opened)
        yield stream.text("response.content_part.added", part=empty, **place)
        yield stream.text("response.output_text.delta", delta=answer, logprobs=[], **place)
        yield stream.text("response.output_text.done", text=answer, logprobs=[], **place)
        yield stream.text("response.content_part.done", part=part, **place)
        done = _dump(self._message(answer))
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

    def text(self, kind: str, **fields: object) -> str:
        said = {"type": kind, "sequence_number": next(self._numbers), **fields}
        return format_event(json.dumps(said, ensure_ascii=True), event=kind)


def _response_format(request: ResponsesRequest) -> JsonObject | None:
    form = request.text.format if request.text else None
    if form is None or form.get("type") != "json_schema":
        return form
    schema: JsonObject = {name: value for name, value in form.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def _dump(value: BaseModel) -> JsonObject:
    said: JsonObject = value.model_dump(mode="json")
    return said

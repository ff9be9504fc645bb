"""`/v1/chat/completions`: converts a request to a run, and a run to a completion or to chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import JsonValue

from mini_agent.agent.progress_text import format_progress
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject
from mini_agent.remote.openai_parameters import find_unused, refuse_unsupported
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent_protocol.sse import format_event
from mini_agent_shim.openai.chat_models import (
    ChatCallMessage,
    ChatChunk,
    ChatCompletion,
    ChatMessage,
    ChatRequest,
    ChatUsage,
    Choice,
    ChunkChoice,
    RunFacts,
)
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

DONE: Final = format_event("[DONE]")


def read_chat_tools(request: ChatRequest) -> ClientTools:
    """Read the client's tools; `functions`, the form before `tools`, are declined."""
    tools = read_client_tools(request.tools, request.tool_choice)
    older = tuple(str(each.get("name", "unnamed"))[:64] for each in request.functions or ())
    return replace(tools, declined=(*tools.declined, *older))


def convert_chat_request(request: ChatRequest) -> AgentRunRequest:
    """Convert the request to a run request; raises `BadRequest` for unsupported fields."""
    given = request.model_dump(exclude_none=True)
    refuse_unsupported(given)
    extra = split_extra(request.model_extra or {}, ChatRequest.model_fields)
    tools = read_chat_tools(request)
    longest = request.max_completion_tokens
    fields = {
        "model": parse_model(request.model),
        "messages": add_declined_note(request.messages, tools.declined),
        "stream": bool(request.stream),
        "temperature": request.temperature,
        "max_tokens": request.max_tokens if longest is None else longest,
        "seed": request.seed,
        "response_format": request.response_format,
        "client_tools": tools.offered or None,
        "completion_kwargs": choose_tools(model_parameters(given), tools),
    }
    return build_run_request(fields | extra, request.mini_agent)


@dataclass(frozen=True, slots=True)
class ChatCompletionBuilder:
    """Builds the response to one request, whole or as chunks."""

    run_id: str
    request: ChatRequest
    tools: ClientTools
    created: int = field(default_factory=lambda: int(time.time()))

    def build(self, result: AgentResult) -> ChatCompletion:
        """Return the completion."""
        return ChatCompletion(
            id=self._id,
            created=self.created,
            model=self.request.model,
            choices=(Choice(message=_build_message(result), finish_reason=result.finish_reason),),
            usage=ChatUsage.of(result.usage),
            mini_agent=self._facts(result),
        )

    async def stream(self, events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
        """Yield the progress as reasoning, then the answer, as server-sent events."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, RunStarted):
                    yield self._format_delta({"role": "assistant", "content": ""})
                elif isinstance(event, Stopped):
                    yield self._format_delta(_build_delta(event.result))
                    yield self._format_end(event.result)
                    if self._includes_usage:
                        yield self._format_usage(event.result)
                    yield DONE
                elif progress := format_progress(event):
                    yield self._format_delta({"reasoning_content": progress})

    @property
    def _id(self) -> str:
        return f"chatcmpl-{self.run_id}"

    @property
    def _includes_usage(self) -> bool:
        options = self.request.stream_options
        return bool(options and options.include_usage)

    def _facts(self, result: AgentResult) -> RunFacts:
        unused = find_unused(self.request.model_dump(exclude_none=True))
        return RunFacts.of(self.run_id, result, self.tools.declined, unused)

    def _format_delta(self, delta: JsonObject) -> str:
        return _format_chunk(self._chunk((ChunkChoice(delta=delta),)))

    def _format_end(self, result: AgentResult) -> str:
        choice = ChunkChoice(delta={}, finish_reason=result.finish_reason)
        return _format_chunk(
            self._chunk((choice,)).model_copy(update={"mini_agent": self._facts(result)})
        )

    def _format_usage(self, result: AgentResult) -> str:
        usage = ChatUsage.of(result.usage)
        return _format_chunk(self._chunk(()).model_copy(update={"usage": usage}))

    def _chunk(self, choices: tuple[ChunkChoice, ...]) -> ChatChunk:
        return ChatChunk(
            id=self._id, created=self.created, model=self.request.model, choices=choices
        )


def _build_message(result: AgentResult) -> ChatMessage:
    if not result.tool_calls:
        return ChatMessage(content=result.final_answer)
    return ChatCallMessage(content=_words_beside_calls(result), tool_calls=result.tool_calls)


def _build_delta(result: AgentResult) -> JsonObject:
    if not result.tool_calls:
        return {"content": result.final_answer}
    calls: list[JsonValue] = [
        {"index": index, **call} for index, call in enumerate(result.tool_calls)
    ]
    return {"content": _words_beside_calls(result), "tool_calls": calls}


def _words_beside_calls(result: AgentResult) -> str | None:
    return None if result.answer_source == "notice" else result.final_answer


def _format_chunk(chunk: ChatChunk) -> str:
    omitted = {name for name in ("usage", "mini_agent") if getattr(chunk, name) is None}
    return format_event(chunk.model_dump_json(exclude=omitted))

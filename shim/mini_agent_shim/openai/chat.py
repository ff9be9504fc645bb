"""`/v1/chat/completions`: converts a request to a run, and a run to a completion or to chunks."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from mini_agent.agent.progress_text import format_progress
from mini_agent.errors import BadRequest
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent_protocol.sse import format_event
from mini_agent_shim.openai.chat_models import (
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
    add_declined_note,
    build_run_request,
    decline_tools,
    parse_model,
)

SAMPLING: Final = ("top_p", "presence_penalty", "frequency_penalty", "stop")
DONE: Final = format_event("[DONE]")


def decline_chat_tools(request: ChatRequest) -> tuple[str, ...]:
    """Return the names of the client's tools; raises `BadRequest` where one must be called."""
    tools = [*(request.tools or []), *(request.functions or [])]
    return decline_tools(tools, request.tool_choice or request.function_call)


def convert_chat_request(request: ChatRequest) -> AgentRunRequest:
    """Convert the request to a run request; raises `BadRequest` for unsupported fields."""
    unsupported = {
        "n": request.n not in (None, 1),
        "logprobs": bool(request.logprobs),
        "modalities": request.modalities not in (None, ["text"]),
    }
    for name in (name for name, is_set in unsupported.items() if is_set):
        raise BadRequest(f"{name} is not available here", field=name, hint=f"leave {name} out")
    fields = {
        "model": parse_model(request.model),
        "messages": add_declined_note(request.messages, decline_chat_tools(request)),
        "stream": bool(request.stream),
        "temperature": request.temperature,
        "max_tokens": request.max_completion_tokens or request.max_tokens,
        "seed": request.seed,
        "response_format": request.response_format,
        "completion_kwargs": request.model_dump(include=set(SAMPLING), exclude_none=True),
    }
    return build_run_request(fields, request.mini_agent)


@dataclass(frozen=True, slots=True)
class ChatCompletionBuilder:
    """Builds the response to one request, whole or as chunks."""

    run_id: str
    request: ChatRequest
    declined_tools: tuple[str, ...]
    created: int = field(default_factory=lambda: int(time.time()))

    def build(self, result: AgentResult) -> ChatCompletion:
        """Return the completion."""
        return ChatCompletion(
            id=self._id,
            created=self.created,
            model=self.request.model,
            choices=(Choice(message=ChatMessage(content=result.final_answer)),),
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
                    yield self._format_delta({"content": event.result.final_answer})
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
        return RunFacts.of(self.run_id, result, self.declined_tools)

    def _format_delta(self, delta: JsonObject) -> str:
        return _format_chunk(self._chunk((ChunkChoice(delta=delta),)))

    def _format_end(self, result: AgentResult) -> str:
        choice = ChunkChoice(delta={}, finish_reason="stop")
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


def _format_chunk(chunk: ChatChunk) -> str:
    omitted = {name for name in ("usage", "mini_agent") if getattr(chunk, name) is None}
    return format_event(chunk.model_dump_json(exclude=omitted))

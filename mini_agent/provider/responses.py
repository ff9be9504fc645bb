"""Convert a run's result and events to LiteLLM's responses, chunks and usage."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final, Protocol

from mini_agent.agent.progress_text import format_progress
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject
from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.remote.schema import AgentRunResponse
from mini_agent.result import AgentResult, Iteration, Usage


def build_details(result: AgentResult) -> JsonObject:
    """All of the result as plain values: `conversation` is the transcript, `parsed_tools` every
    tool call in one flat list, and the rest as in the answer of `POST /agent/run`."""
    said: JsonObject = AgentRunResponse.from_result(result).model_dump(mode="json")
    said["conversation"] = said.pop("messages")
    said["parsed_tools"] = [call for each in result.iterations for call in _flatten_calls(each)]
    return said


def parse_details(details: JsonObject) -> AgentResult:
    """Parse details back to the result they were built from."""
    told = dict(details)
    told["messages"] = told.pop("conversation")
    return AgentRunResponse.model_validate(told).result()


def _flatten_calls(iteration: Iteration) -> Iterator[JsonObject]:
    for index, call in enumerate(iteration.tool_invocations):
        yield {
            "iteration": iteration.index,
            "call_index": index,
            "name": call.name,
            "tool_name": call.requested_name,
            "tool_call_id": call.tool_call_id,
            "arguments_raw": json.dumps(call.arguments, ensure_ascii=False),
            "arguments": call.arguments,
            "ok": call.ok,
            "rc": call.rc,
            "result": call.text,
            "stdout": call.stdout,
            "stderr": call.stderr,
            "error": call.error,
            "t_ms": call.duration_ms,
            "model": iteration.model,
        }


def to_litellm_usage(usage: Usage) -> object:
    """Convert to LiteLLM's Usage; cached tokens are part of the prompt's."""
    counted: object = import_litellm().Usage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details={"cached_tokens": usage.cached_tokens},
    )
    return counted


def describe_answer(result: AgentResult) -> str | None:
    """The message's text: None where the caller is to make calls and the model said nothing."""
    if result.tool_calls and result.answer_source == "notice":
        return None
    return result.final_answer


def to_litellm_calls(result: AgentResult) -> list[object]:
    """Convert the calls of the caller's tools to LiteLLM's objects."""
    types = import_litellm().types.utils
    return [
        types.ChatCompletionMessageToolCall(index=index, **call)
        for index, call in enumerate(result.tool_calls)
    ]


WORD: Final = re.compile(r"\s*\S+\s*|\s+")


class Chunk(Protocol):
    """LiteLLM's ModelResponseStream, as far as we write it, and what we add: `mini_agent`."""

    usage: object
    mini_agent: JsonObject
    provider_specific_fields: JsonObject


async def stream_chunks(
    events: AsyncGenerator[Event, None], model: str, *, shows_progress: bool
) -> AsyncGenerator[Chunk, None]:
    """An empty chunk when the run begins, progress as reasoning where asked, then the answer.

    The last chunk of the answer has the usage and, as `mini_agent`, the details of the run.
    Closing the iterator closes `events`.
    """
    stream = _ChunkBuilder(model)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, RunStarted):
                yield stream.chunk(role="assistant", content="")
            elif isinstance(event, Stopped):
                for chunk in stream.answer(event.result):
                    yield chunk
                return
            elif shows_progress and (told := format_progress(event)):
                yield stream.chunk(reasoning_content=told)


class _ChunkBuilder:
    """Chunks of one response, which share its id."""

    def __init__(self, model: str) -> None:
        self._types = import_litellm().types.utils
        self._model = model
        self._id = self._types.ModelResponseStream().id

    def answer(self, result: AgentResult) -> Iterator[Chunk]:
        *words, last = WORD.findall(describe_answer(result) or "") or [""]
        for word in words:
            yield self.chunk(content=word)
        closing = self.chunk(content=last)
        closing.usage = to_litellm_usage(result.usage)
        closing.mini_agent = build_details(result)
        # The Proxy sends a chunk that has these, if only none, with all that it holds.
        closing.provider_specific_fields = {}
        yield closing
        if result.tool_calls:
            calls = [{"index": index, **call} for index, call in enumerate(result.tool_calls)]
            yield self.chunk(tool_calls=calls)
        yield self.chunk(finish_reason=result.finish_reason)

    def chunk(self, *, finish_reason: str | None = None, **delta: object) -> Chunk:
        choice = self._types.StreamingChoices(
            finish_reason=finish_reason, delta=self._types.Delta(**delta)
        )
        made: Chunk = self._types.ModelResponseStream(
            id=self._id, model=self._model, choices=[choice]
        )
        return made

"""A run's events as the chunks of a LiteLLM stream."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Final, Protocol

from mini_agent.agent.progress_text import progress_of
from mini_agent.events import Event, RunStarted, Stopped
from mini_agent.messages import JsonObject
from mini_agent.models.litellm_runtime import litellm_module
from mini_agent.provider.litellm_details import details_of
from mini_agent.provider.litellm_usage import usage_of
from mini_agent.result import AgentResult

WORD: Final = re.compile(r"\s*\S+\s*|\s+")


class Chunk(Protocol):
    """LiteLLM's ModelResponseStream, as far as we write it, and what we add: `mini_agent`."""

    usage: object
    mini_agent: JsonObject
    provider_specific_fields: JsonObject


async def chunks_of(
    events: AsyncGenerator[Event, None], model: str, *, shows_progress: bool
) -> AsyncGenerator[Chunk, None]:
    """An empty chunk when the run begins, progress as reasoning where asked, then the answer.

    The last chunk of the answer has the usage and, as `mini_agent`, the details of the run.
    Closing the iterator closes `events`.
    """
    stream = _Stream(model)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, RunStarted):
                yield stream.chunk(role="assistant", content="")
            elif isinstance(event, Stopped):
                for chunk in stream.answer(event.result):
                    yield chunk
                return
            elif shows_progress and (told := progress_of(event)):
                yield stream.chunk(reasoning_content=told)


class _Stream:
    """Chunks of one response, which share its id."""

    def __init__(self, model: str) -> None:
        self._types = litellm_module().types.utils
        self._model = model
        self._id = self._types.ModelResponseStream().id

    def answer(self, result: AgentResult) -> Iterator[Chunk]:
        *words, last = WORD.findall(result.final_answer)
        for word in words:
            yield self.chunk(content=word)
        closing = self.chunk(content=last)
        closing.usage = usage_of(result.usage)
        closing.mini_agent = details_of(result)
        # The Proxy sends a chunk that has these, if only none, with all that it holds.
        closing.provider_specific_fields = {}
        yield closing
        yield self.chunk(finish_reason="stop")

    def chunk(self, *, finish_reason: str | None = None, **delta: str) -> Chunk:
        choice = self._types.StreamingChoices(
            finish_reason=finish_reason, delta=self._types.Delta(**delta)
        )
        made: Chunk = self._types.ModelResponseStream(
            id=self._id, model=self._model, choices=[choice]
        )
        return made

"""A run as server-sent events: each event as it happens, the last one with the result."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing

from mini_agent.events import Event
from mini_agent_shim.stream_answer import StreamAnswer


class EventAnswer(StreamAnswer):
    """The events of a run as a stream."""

    def __init__(
        self,
        events: AsyncGenerator[Event, None],
        around: AbstractAsyncContextManager[None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(_texts(events), around, headers)


async def _texts(events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        async for event in events:
            yield f"event: {event.kind}\ndata: {event.model_dump_json()}\n\n"

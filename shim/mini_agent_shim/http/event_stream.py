"""Responses of server-sent events, with keepalive comments."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

from mini_agent.events import Event
from mini_agent_protocol.asgi.event_stream import EventStreamResponse, with_keepalive
from mini_agent_protocol.sse import format_event

KEEPALIVE: Final = "alive"
KEEPALIVE_INTERVAL_S: Final = 10.0


def stream_texts(
    texts: AsyncGenerator[str, None],
    around: AbstractAsyncContextManager[None] | None = None,
    headers: Mapping[str, str] | None = None,
) -> EventStreamResponse:
    """Return a response of these texts; a long wait, even for the first, is broken by comments."""
    lively = with_keepalive(texts, KEEPALIVE, KEEPALIVE_INTERVAL_S)
    return EventStreamResponse(lively, around, headers)


def stream_events(
    events: AsyncGenerator[Event, None],
    around: AbstractAsyncContextManager[None] | None = None,
    headers: Mapping[str, str] | None = None,
) -> EventStreamResponse:
    """Return a response of a run's events."""
    return stream_texts(_format_events(events), around, headers)


async def _format_events(events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        async for event in events:
            yield format_event(event.model_dump_json(), event=event.kind)

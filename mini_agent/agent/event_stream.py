"""A run as a stream of its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Final

from mini_agent.events import Event, Listener
from mini_agent.result import AgentResult

CANCEL_S: Final = 1.0

Run = Callable[[Listener], Coroutine[object, object, AgentResult]]


async def events_of(run: Run) -> AsyncGenerator[Event, None]:
    """The events of `run`, as they happen, the last one with the result.

    Closing the iterator, or cancelling who waits for it, cancels the run. What the run raises is
    raised here.
    """
    told: asyncio.Queue[Event | None] = asyncio.Queue()
    running = asyncio.ensure_future(run(told.put_nowait))
    running.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (event := await told.get()) is not None:
            yield event
        await running
    finally:
        running.cancel()
        running.add_done_callback(_look_at)
        await asyncio.wait({running}, timeout=CANCEL_S)


def _look_at(ended: asyncio.Future[AgentResult]) -> None:
    # What a cancelled run raises on its way out has no reader; asyncio would complain about it.
    if not ended.cancelled():
        ended.exception()

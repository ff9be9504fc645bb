"""A run as server-sent events: each event as it happens, the last one with the result."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mini_agent.events import Event
from mini_agent_shim.disconnect import CallerGone, unless_gone

MEDIA_TYPE: Final = "text/event-stream"
SILENCE_S: Final = 10.0
PATIENCE_S: Final = 60.0
ALIVE: Final = ": alive\n\n"
_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class EventAnswer(Response):
    """Sends `events`; what is raised before the first of them becomes a plain answer.

    A caller who leaves, or takes nothing for a minute, ends the run.
    """

    def __init__(self, events: AsyncGenerator[Event, None]) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer, as ASGI has it."""
        del scope
        # Returning early, before the last piece, makes the server hang up.
        with contextlib.suppress(CallerGone, _TakesNothing):
            await unless_gone(receive, self._sent(send))

    async def _sent(self, send: Send) -> None:
        async with aclosing(self._events) as events, aclosing(_messages(events)) as messages:
            first = await anext(messages)
            start = {"type": "http.response.start", "status": HTTPStatus.OK}
            await send({**start, "headers": list(_HEADERS)})
            await _write(send, first)
            async for message in messages:
                await _write(send, message)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _messages(events: AsyncGenerator[Event, None]) -> AsyncGenerator[str, None]:
    """The events as text, and a sign of life after each while in which there was none."""
    while True:
        coming = asyncio.ensure_future(anext(events, None))
        try:
            while not (await asyncio.wait({coming}, timeout=SILENCE_S))[0]:
                yield ALIVE
        finally:
            coming.cancel()
            await asyncio.wait({coming})
        event = coming.result()
        if event is None:
            return
        yield f"event: {event.kind}\ndata: {event.model_dump_json()}\n\n"


class _TakesNothing(Exception):
    """The caller is there and does not read."""


async def _write(send: Send, text: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
    except TimeoutError:
        raise _TakesNothing from None

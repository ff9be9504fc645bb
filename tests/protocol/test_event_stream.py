"""Events as a response."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import Message

from mini_agent_protocol.asgi import event_stream
from mini_agent_protocol.asgi.disconnect import ClientDisconnected
from mini_agent_protocol.asgi.event_stream import EventStreamResponse, with_keepalive
from tests.protocol.apps import client_of, messages

GONE = {"type": "http.disconnect"}


class Texts:
    """Some texts; then, where it is to hang, no end. Whether it was closed is told."""

    def __init__(self, *texts: str, hangs: bool = False) -> None:
        self._texts, self._hangs = texts, hangs
        self.is_closed = False

    async def run(self) -> AsyncGenerator[str, None]:
        """The texts."""
        try:
            for text in self._texts:
                yield text
            if self._hangs:
                await asyncio.Event().wait()
        finally:
            self.is_closed = True


async def test_texts_are_sent_as_an_event_stream_that_nothing_keeps_or_holds_back() -> None:
    response = EventStreamResponse(
        Texts("data: 1\n\n", "data: 2\n\n").run(), headers={"X-Run": "7"}
    )
    async with client_of(response) as client:
        answer = await client.get("/")
    assert answer.text == "data: 1\n\ndata: 2\n\n"
    assert dict(answer.headers) == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        "x-accel-buffering": "no",
        "x-run": "7",
    }


async def test_what_is_raised_before_the_first_text_begins_no_response() -> None:
    async def refused() -> AsyncGenerator[str, None]:
        yield str(int("no number"))

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    with pytest.raises(ValueError, match="no number"):
        await EventStreamResponse(refused())({"type": "http"}, messages(), send)
    assert sent == []


async def test_a_client_that_leaves_closes_the_texts_and_is_told_to_what_is_around() -> None:
    texts, told = Texts("data: 1\n\n", hangs=True), list[BaseException]()

    @asynccontextmanager
    async def around() -> AsyncIterator[None]:
        try:
            yield
        except ClientDisconnected as gone:
            told.append(gone)
            raise

    has_begun = asyncio.Event()

    async def receive() -> Message:
        await has_begun.wait()
        return GONE

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            has_begun.set()

    await EventStreamResponse(texts.run(), around())({"type": "http"}, receive, send)
    assert texts.is_closed
    assert len(told) == 1


async def test_a_client_that_takes_nothing_is_as_good_as_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "WRITE_TIMEOUT_S", 0.05)
    texts = Texts("data: 1\n\n", hangs=True)

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    response = EventStreamResponse(texts.run())
    await asyncio.wait_for(response({"type": "http"}, messages(), send), 10)
    assert texts.is_closed


async def test_silence_is_broken_by_comments_and_ends_with_the_texts() -> None:
    texts = Texts("data: 1\n\n", hangs=True)
    lively = with_keepalive(texts.run(), "still here", 0.02)
    assert [await anext(lively) for _ in range(3)] == [
        "data: 1\n\n",
        ": still here\n\n",
        ": still here\n\n",
    ]
    await lively.aclose()
    assert texts.is_closed

"""HTTP as the engine speaks it, and an engine that does not."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from codex_sidecar.engine import connection
from codex_sidecar.engine import connection as exchange
from codex_sidecar.engine.connection import MAX_IDLE_CONNECTIONS, CircuitBreaker, EngineTransport
from codex_sidecar.errors import EngineUnavailable


class Speaker:
    """Says what it has to say to each request, one after the other, on any connection."""

    def __init__(self, *said: bytes) -> None:
        self.said = list(said)
        self.connections = 0
        self.heard = list[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.said:
                self.heard.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self.said.pop(0))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Hung:
    """Takes calls, and answers none until it is well."""

    def __init__(self) -> None:
        self.calls = self.open = 0
        self.is_well = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.calls += 1
                await self.is_well.wait()
                writer.write(answer(b"well"))
        self.open -= 1
        writer.close()


@asynccontextmanager
async def connected(serve: Serve) -> AsyncIterator[EngineTransport]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "engine.sock")
        server = await asyncio.start_unix_server(serve, path)
        line = EngineTransport(path)
        try:
            yield line
        finally:
            await line.aclose()
            server.close()


def answer(body: bytes, *fields: bytes) -> bytes:
    head = b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *fields])
    return head + b"\r\n\r\n" + body


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"
)


async def test_one_call_follows_another_on_one_connection() -> None:
    speaker = Speaker(answer(b"one"), CHUNKED, b"HTTP/1.1 204 No Content\r\n\r\n", answer(b"four"))
    async with connected(speaker.serve) as line:
        bodies = [(await line.send("GET", "/x")).body for _ in range(4)]
    assert bodies == [b"one", b"abc0123456789", b"", b"four"]
    assert speaker.connections == 1


async def test_a_connection_that_the_engine_closes_is_not_used_again() -> None:
    speaker = Speaker(answer(b"one", b"Connection: close"), answer(b"two"))
    async with connected(speaker.serve) as line:
        bodies = [(await line.send("GET", "/x")).body for _ in range(2)]
    assert (bodies, speaker.connections) == ([b"one", b"two"], 2)


async def test_an_answer_without_a_length_ends_where_its_connection_does() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nwhole")
        writer.close()

    async with connected(serve) as line:
        bodies = [(await line.send("GET", "/x")).body for _ in range(2)]
    assert bodies == [b"whole", b"whole"]


async def test_what_only_announces_an_answer_is_passed_over() -> None:
    speaker = Speaker(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + answer(b"one"))
    async with connected(speaker.serve) as line:
        said = await line.send("GET", "/x")
    assert (said.status, said.body) == (200, b"one")


async def test_what_comes_behind_an_answer_is_not_taken_for_the_next_one() -> None:
    speaker = Speaker(answer(b"one") + answer(b"not asked for"), answer(b"two"))
    async with connected(speaker.serve) as line:
        bodies = [(await line.send("GET", "/x")).body for _ in range(2)]
    assert (bodies, speaker.connections) == ([b"one", b"two"], 2)


@pytest.mark.parametrize("said", [answer(b"x" * 11), CHUNKED])
async def test_an_answer_that_is_too_long_is_not_held(
    said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MAX_BODY_BYTES", 10)
    async with connected(Speaker(said).serve) as line:
        with pytest.raises(EngineUnavailable, match="more than 10 bytes"):
            await line.send("GET", "/x")


async def test_calls_at_once_have_a_connection_each() -> None:
    speaker = Speaker(answer(b"1"), answer(b"1"), answer(b"1"))
    async with connected(speaker.serve) as line, asyncio.TaskGroup() as calls:
        for _ in range(3):
            calls.create_task(line.send("GET", "/x"))
    assert len(speaker.heard) == 3


async def test_after_a_crowd_no_more_connections_are_kept_than_it_takes() -> None:
    engine = Hung()
    async with connected(engine.serve) as line, asyncio.timeout(30):
        async with asyncio.TaskGroup() as calls:
            for _ in range(3 * MAX_IDLE_CONNECTIONS):
                calls.create_task(line.send("GET", "/x"))
            while engine.calls < 3 * MAX_IDLE_CONNECTIONS:  # noqa: ASYNC110 - it only counts
                await asyncio.sleep(0.01)
            engine.is_well.set()
        while engine.open > MAX_IDLE_CONNECTIONS:  # noqa: ASYNC110 - it only counts
            await asyncio.sleep(0.01)
        assert engine.open == MAX_IDLE_CONNECTIONS


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"nonsense\r\n\r\n", "it is not HTTP: illegal status line"),
        (b"HTTP/1.1 two OK\r\n\r\n", "it is not HTTP: illegal status line"),
        (b"HTTP/1.1 101 UPGRADED\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "bad Content-Length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "it hung up"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "it hung up"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "it is not HTTP"),
        (CHUNKED[:47] + b"zz\r\n", "illegal chunk header"),
        (CHUNKED[:47] + b"FFFFFFFF\r\n", "it hung up"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, "too long"),
        (b"", "it hung up"),
    ],
)
async def test_what_is_no_answer_is_an_engine_that_is_gone(said: bytes, why: str) -> None:
    speaker = Speaker(said)
    async with connected(speaker.serve) as line:
        with pytest.raises(EngineUnavailable, match=why):
            await line.send("GET", "/x")


async def test_an_engine_that_takes_calls_and_is_silent_is_given_up_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PING_INTERVAL_S", "PING_TIMEOUT_S", "MIN_PAUSE_S"):
        monkeypatch.setattr(connection, name, 0.5)
    hung = Hung()
    async with connected(hung.serve) as line:
        with pytest.raises(EngineUnavailable, match="takes calls but does not answer"):
            await line.send("GET", "/x")
        calls = hung.calls
        with pytest.raises(EngineUnavailable, match="stopped answering"):
            await line.send("GET", "/x")
        assert hung.calls == calls
        hung.is_well.set()
        await asyncio.sleep(0.6)
        assert (await line.send("GET", "/x")).body == b"well"


async def test_an_engine_that_is_slow_and_shows_that_it_lives_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "PING_INTERVAL_S", 0.02)
    slow = Hung()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"GET /_ping"):
            await slow.is_well.wait()
        writer.write(answer(b"well", b"Connection: close"))
        writer.close()

    async with connected(serve) as line:
        calling = asyncio.create_task(line.send("GET", "/x"))
        await asyncio.sleep(0.1)
        assert not calling.done()
        slow.is_well.set()
        assert (await calling).body == b"well"


def test_a_silent_engine_is_asked_by_one_at_a_time() -> None:
    breaker = CircuitBreaker()
    breaker.trip()
    asked = [breaker.allows_probe()]
    breaker._until = 0.0
    asked += [breaker.allows_probe(), breaker.allows_probe()]
    assert asked == [False, True, False]


def test_a_silent_engine_is_asked_ever_more_rarely_up_to_a_bound() -> None:
    breaker = CircuitBreaker()
    pauses = []
    for _ in range(10):
        breaker.trip()
        pauses.append(breaker._pause_s)
    assert pauses[:3] == [0.5, 1.0, 2.0]
    assert pauses[-1] == connection.MAX_PAUSE_S
    breaker.reset()
    assert not breaker.is_open

"""The client's errors, over a real connection to a server that says what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from mini_agent.errors import (
    BadRequest,
    ErrorBody,
    MiniAgentError,
    Problem,
    SandboxError,
    SandboxUnavailable,
    SessionOver,
    Unauthorized,
)
from mini_agent.sandbox import Output, SidecarClient, Snippet

SNIPPET = Snippet(language="python", code="1")
Answering = Callable[[bytes], AbstractAsyncContextManager[SidecarClient]]


@pytest.fixture
def answering() -> Answering:
    """A client of a server that gives this answer, whatever it is asked, and hangs up."""

    @asynccontextmanager
    async def serve(answer: bytes) -> AsyncIterator[SidecarClient]:
        async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(say, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, SidecarClient(f"http://127.0.0.1:{port}", "token") as client:
            yield client

    return serve


def problem(status: int, code: str, *, retryable: bool = False) -> bytes:
    body = Problem(error=ErrorBody(code=code, message=code, retryable=retryable)).model_dump_json()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(401, "unauthorized"), Unauthorized),
        (problem(404, "no_session"), SessionOver),
        (problem(404, "no_file"), BadRequest),
        (problem(409, "session_busy", retryable=True), SandboxUnavailable),
        (problem(422, "bad_request"), BadRequest),
        (problem(429, "busy"), SandboxUnavailable),
        (problem(500, "sandbox_error"), SandboxError),
        (problem(503, "engine_unavailable", retryable=True), SandboxUnavailable),
        (b"HTTP/1.1 502 X\r\nContent-Length: 4\r\n\r\nhtml", SandboxError),
        (b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}", SandboxError),
        (b"HTTP/1.1 200 X\r\nContent-Length: 20\r\n\r\n{}", SandboxUnavailable),
    ],
)
async def test_an_answer_that_is_no_execution_is_an_error_of_ours(
    answering: Answering, answer: bytes, kind: type[MiniAgentError]
) -> None:
    async with answering(answer) as client:
        with pytest.raises(kind) as raised:
            await client.run(SNIPPET)
    assert type(raised.value) is kind


async def test_a_stream_that_breaks_off_is_an_error_after_what_came(answering: Answering) -> None:
    event = b'event: output\ndata: {"stream":"stdout","text":"a"}\n\n'
    head = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with answering(head + f"{len(event):x}\r\n".encode() + event + b"\r\n") as client:
        items = client.stream(SNIPPET)
        assert await anext(items) == Output(stream="stdout", text="a")
        with pytest.raises(SandboxUnavailable):
            await anext(items)


async def test_an_error_in_a_stream_is_the_error_it_would_have_been_outside(
    answering: Answering,
) -> None:
    said = Problem(error=ErrorBody(code="no_session", message="closed")).model_dump_json()
    event = f"event: error\ndata: {said}\n\n".encode()
    head = f"HTTP/1.1 200 X\r\nContent-Length: {len(event)}\r\n\r\n".encode()
    async with answering(head + event) as client:
        with pytest.raises(SessionOver, match="closed"):
            await anext(client.stream(SNIPPET))


async def test_a_sidecar_that_is_away_is_told_with_its_address() -> None:
    async with SidecarClient("http://127.0.0.1:9") as client:
        with pytest.raises(SandboxUnavailable, match=r"127\.0\.0\.1:9"):
            await client.open_session()


async def test_an_address_that_cannot_be_is_told_with_one_that_can() -> None:
    async with SidecarClient("localhost:8077") as client:
        with pytest.raises(SandboxUnavailable, match="'localhost:8077' is no address") as told:
            await client.open_session()
    assert "such as http://127.0.0.1:8077" in told.value.hint


async def test_a_stream_without_an_execution_is_an_error(answering: Answering) -> None:
    event = b'event: output\ndata: {"stream":"stdout","text":"a"}\n\n'
    head = f"HTTP/1.1 200 X\r\nContent-Length: {len(event)}\r\n\r\n".encode()
    told: list[Output] = []
    async with answering(head + event) as client:
        with pytest.raises(SandboxError, match="without an execution"):
            await client.run_streaming(SNIPPET, told.append)
    assert told == [Output(stream="stdout", text="a")]

"""A request whose head has no end, or does not come, ends its connection and no other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mini_agent_protocol.asgi import head_timeout
from mini_agent_protocol.asgi.head_timeout import HeadTimeoutProtocol
from mini_agent_protocol.asgi.head_timeout_httptools import HttpToolsHeadTimeoutProtocol

Protocol = type[HttpToolsHeadTimeoutProtocol] | type[HeadTimeoutProtocol]

pytestmark = pytest.mark.parametrize(
    "protocol", [HttpToolsHeadTimeoutProtocol, HeadTimeoutProtocol]
)

WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"


async def slowly(request: Request) -> PlainTextResponse:
    body = await request.body()
    await asyncio.sleep(0.3)
    return PlainTextResponse(body)


@asynccontextmanager
async def connected(
    protocol: Protocol,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    app = Starlette(routes=[Route("/", slowly, methods=["POST"])])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, http=protocol, log_config=None, ws="none"))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await serving


def hurry(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(head_timeout, "HEAD_TIMEOUT_S", seconds)


async def test_a_head_without_end_is_cut_off(protocol: Protocol) -> None:
    async with connected(protocol) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("begun", [b"", b"GET / HT", WHOLE + b"abcGET / HT"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol, begun: bytes
) -> None:
    hurry(monkeypatch, 0.5)
    async with connected(protocol) as (reader, writer):
        writer.write(begun)
        async with asyncio.timeout(10):
            assert not (await reader.read()).endswith(b"HT")
        assert reader.at_eof()


async def test_a_body_and_an_answer_may_take_longer(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol
) -> None:
    hurry(monkeypatch, 0.2)
    async with connected(protocol) as (reader, writer):
        writer.write(WHOLE)
        await asyncio.sleep(0.3)
        writer.write(b"abc")
        answer = await reader.readuntil(b"abc")
        await asyncio.sleep(0.3)
        writer.write(WHOLE + b"def")
        again = await reader.readuntil(b"def")
    assert (answer[:15], again[:15]) == (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK")

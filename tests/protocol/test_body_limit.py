"""Bodies that are too large or too slow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from mini_agent_protocol.asgi import body_limit
from mini_agent_protocol.asgi.body_limit import BodyLimitMiddleware, LimitedReceive, read_body
from tests.protocol.apps import client_of, messages

PART = {"type": "http.request", "body": b"abc", "more_body": True}
GONE = {"type": "http.disconnect"}


@pytest.fixture(autouse=True)
def _ten_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "MAX_BODY_BYTES", 10)


def refuse(error: HTTPException) -> Response:
    return PlainTextResponse(f"beforehand: {error.detail}", status_code=error.status_code)


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def client() -> httpx.AsyncClient:
    app = Starlette(routes=[Route("/", length, methods=["POST"])])
    app.add_middleware(BodyLimitMiddleware, refuse=refuse)
    return client_of(app)


async def in_pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"abc"


async def test_a_body_within_the_limit_passes() -> None:
    async with client() as asking:
        assert (await asking.post("/", content=b"x" * 10)).text == "10"


async def test_a_body_that_says_that_it_is_too_large_is_refused_before_it_is_read() -> None:
    async with client() as asking:
        answer = await asking.post("/", content=b"x" * 11)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert answer.text == "beforehand: the body is larger than 10 bytes"


async def test_a_body_that_turns_out_too_large_is_refused_too() -> None:
    async with client() as asking:
        answer = await asking.post("/", content=in_pieces(4))
    assert (answer.status_code, answer.text) == (413, "the body is larger than 10 bytes")


async def test_a_body_that_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "BODY_TIMEOUT_S", 0.05)
    request = Request({"type": "http"}, messages(PART))
    with pytest.raises(HTTPException, match=r"the body took longer than 0\.05 s") as refused:
        await read_body(request, 10)
    assert refused.value.status_code == 408


async def test_after_the_body_the_client_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_limit, "BODY_TIMEOUT_S", 0.05)
    receive = LimitedReceive(messages({**PART, "more_body": False}, GONE), 10)
    assert (await receive())["body"] == b"abc"
    await asyncio.sleep(0.1)
    assert await receive() == GONE

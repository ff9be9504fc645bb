"""Each request is handed to the service's log when it is over."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from mini_agent_protocol.asgi.access_log import Access, AccessLogMiddleware
from tests.protocol.apps import client_of


async def teapot(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("short and stout", status_code=418)(scope, receive, send)


async def breaks(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError(Request(scope, receive, send).method)


async def test_a_request_is_handed_over_with_its_status_and_no_more_than_a_line_of_its_path() -> (
    None
):
    seen: list[Access] = []
    async with client_of(AccessLogMiddleware(teapot, seen.append)) as client:
        await client.put("/" + "x" * 1000)
    (access,) = seen
    assert (access.method, access.status, len(access.path)) == ("PUT", 418, 200)
    assert access.duration_ms >= 0


async def test_a_request_whose_app_broke_has_the_status_of_none() -> None:
    seen: list[Access] = []
    async with client_of(AccessLogMiddleware(breaks, seen.append)) as client:
        with pytest.raises(RuntimeError, match="GET"):
            await client.get("/healthz")
    (access,) = seen
    assert access.status == 0
    assert access.is_to(frozenset({"/healthz"}))
    assert not access.is_to(frozenset({"/metrics"}))

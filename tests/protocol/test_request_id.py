"""The id of a request, inside the app and in the response."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from mini_agent_protocol.asgi.request_id import RequestIdMiddleware, current_request_id
from tests.protocol.apps import client_of


async def say_id(_request: Request) -> PlainTextResponse:
    return PlainTextResponse(current_request_id())


def app() -> RequestIdMiddleware:
    return RequestIdMiddleware(Starlette(routes=[Route("/", say_id)]), id_bytes=8)


async def test_a_clients_own_id_is_kept_inside_and_in_the_response() -> None:
    async with client_of(app()) as client:
        answer = await client.get("/", headers={"X-Request-Id": "Mine_1.a-b"})
    assert (answer.text, answer.headers["x-request-id"]) == ("Mine_1.a-b", "Mine_1.a-b")


@pytest.mark.parametrize("odd", ["", "a b", "x" * 65, "a\tb", "é"])
async def test_an_odd_id_is_replaced_by_a_new_one_of_the_services_length(odd: str) -> None:
    async with client_of(app()) as client:
        answer = await client.get("/", headers={b"X-Request-Id": odd.encode()})
    assert answer.text == answer.headers["x-request-id"] != odd
    assert len(bytes.fromhex(answer.text)) == 8

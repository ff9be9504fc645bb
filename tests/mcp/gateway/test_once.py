"""A call reaches its tool exactly once, counted by the server, whatever happens to it."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mini_agent import HttpToolsInvoker, McpInvoker
from mini_agent.messages import function_call
from mini_agent.tools.outputs import parse_output
from tests.mcp.gateway.conftest import (
    gateway,
    gateway_over,
    names,
    ours,
)
from tests.shim.serving import serve_app
from tests.tools.conftest import Notes

SLOW = {"name": "one__slow", "arguments": {"seconds": 60}}


async def test_answered_cut_and_abandoned_calls_are_each_made_once(
    tmp_path: Path, notes: Notes
) -> None:
    text = ours("one", notes=notes.path, tool_timeout_sec=2)
    async with gateway_over(tmp_path, text) as client:
        await names(client)
        adds = [{"name": "one__add", "arguments": {"a": n, "b": 0}} for n in range(10)]
        answered = [asyncio.create_task(client.post("/invoke", json=each)) for each in adds]
        cut = [asyncio.create_task(client.post("/invoke", json=SLOW)) for _ in range(5)]
        left = [asyncio.create_task(client.post("/invoke", json=SLOW)) for _ in range(5)]
        while notes.text().count("slow began") < 10:  # noqa: ASYNC110  it tells nobody else
            await asyncio.sleep(0.05)
        for call in left:
            call.cancel()
        assert [(await each).status_code for each in answered] == [HTTPStatus.OK] * 10
        assert [(await each).status_code for each in cut] == [HTTPStatus.GATEWAY_TIMEOUT] * 5
        await asyncio.wait(left)
    told = notes.text().splitlines()
    assert [told.count(f"add {n} 0") for n in range(10)] == [1] * 10
    assert told.count("slow began") == 10
    assert len(notes.started) == 1


async def test_what_was_turned_away_for_now_is_sent_again_and_made_once(
    tmp_path: Path, notes: Notes
) -> None:
    async with gateway_over(tmp_path, ours("one", notes=notes.path)) as client:
        await names(client)
        busy = Busy(str(client.base_url))
        with serve_app(busy.app()) as url:
            async with HttpToolsInvoker(url) as tools:
                numbers = range(5)
                asked = [function_call("1", "one__add", {"a": n, "b": 1}) for n in numbers]
                outputs = [parse_output(await tools.call_openai_tool(each)) for each in asked]
    assert [output.stdout for output in outputs] == ["1", "2", "3", "4", "5"]
    assert busy.turned_away == 5
    assert [notes.text().count(f"add {n} 1\n") for n in numbers] == [1] * 5


class Busy:
    """In front of a gateway: turns every second request away."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked = 0
        self.turned_away = 0

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/invoke", self._invoke, methods=["POST"])])

    async def _invoke(self, request: Request) -> Response:
        self._asked += 1
        if self._asked % 2:
            self.turned_away += 1
            return JSONResponse({}, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "0"})
        async with httpx.AsyncClient(base_url=self._url, trust_env=False) as client:
            passed = await client.post("/invoke", json=await request.json())
        return Response(passed.content, passed.status_code, media_type="application/json")


@pytest.mark.parametrize("path", ["", "/mcp"])
async def test_a_gateway_that_dies_in_a_call_has_it_made_once_and_the_model_is_told(
    tmp_path: Path, notes: Notes, path: str
) -> None:
    (tmp_path / "config.toml").write_text(ours("one", notes=notes.path))
    async with gateway("--config", str(tmp_path / "config.toml")) as (process, url):
        tools = McpInvoker.address(url + path) if path else HttpToolsInvoker(url)
        async with tools:
            await tools.list_openai_tools()
            slow = function_call("1", "one__slow", {"seconds": 60})
            calling = asyncio.create_task(tools.call_openai_tool(slow))
            await notes.until("slow began")
            process.kill()
            output = parse_output(await calling)
    assert not output.ok
    assert notes.text().count("slow began") == 1

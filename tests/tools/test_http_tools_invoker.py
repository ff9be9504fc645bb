"""The tools of an HTTP gateway, asked over a real connection."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import JsonValue
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    Response,
)

from mini_agent import HttpToolsInvoker
from mini_agent.errors import BadRequest, ToolsUnavailable, Unauthorized
from mini_agent.messages import function_call
from mini_agent.tools.invoker import ToolOutput, error_output, text_output
from tests.tools.gateway import SEARCH_DOCS, Gateway

CALL = function_call("1", "search_docs", {"query": "auth tokens"})
BUSY = JSONResponse({"error": "busy"}, 429, {"Retry-After": "0"})


async def came_of(*answers: Response, timeout_s: float = 60.0) -> ToolOutput:
    with Gateway(answers).served() as url:
        return await HttpToolsInvoker(url, timeout=timeout_s).call_openai_tool(CALL)


async def test_the_tools_are_those_that_the_gateway_lists() -> None:
    with Gateway().served() as url:
        assert await HttpToolsInvoker(url).list_openai_tools() == [SEARCH_DOCS]


async def test_a_list_may_stand_in_an_object() -> None:
    with Gateway(listing=JSONResponse({"tools": [SEARCH_DOCS]})).served() as url:
        assert await HttpToolsInvoker(f"{url}/").list_openai_tools() == [SEARCH_DOCS]


async def test_a_call_is_one_post_with_its_arguments_as_an_object() -> None:
    gateway = Gateway()
    with gateway.served() as url:
        output = await HttpToolsInvoker(url).call_openai_tool(CALL)
    assert output == text_output("ok")
    assert gateway.asked == ["POST /invoke"]
    assert gateway.invoked == [{"name": "search_docs", "arguments": {"query": "auth tokens"}}]


async def test_a_gateway_that_is_busy_is_asked_again() -> None:
    assert await came_of(BUSY, BUSY, JSONResponse({"text": "ok"})) == text_output("ok")


async def test_a_gateway_that_stays_busy_is_left_alone_after_a_few_times() -> None:
    gateway = Gateway([BUSY])
    with gateway.served() as url:
        output = await HttpToolsInvoker(url).call_openai_tool(CALL)
    assert output == error_output("HTTP 429: busy")
    assert len(gateway.invoked) == 5


@pytest.mark.parametrize(
    "told",
    ["3600", format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)],
    ids=["seconds", "date"],
)
async def test_a_wait_that_would_not_fit_is_not_begun(told: str) -> None:
    gateway = Gateway([JSONResponse({"error": "busy"}, 429, {"Retry-After": told})])
    with gateway.served() as url:
        output = await HttpToolsInvoker(url, timeout=5).call_openai_tool(CALL)
    assert output == error_output("HTTP 429: busy")
    assert len(gateway.invoked) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_no_other_failure_leads_to_a_second_call(status: int) -> None:
    gateway = Gateway([JSONResponse({"error": "no"}, status, {"Retry-After": "0"})])
    with gateway.served() as url:
        await HttpToolsInvoker(url).call_openai_tool(CALL)
    assert len(gateway.invoked) == 1


async def test_the_headers_go_with_every_request() -> None:
    gateway = Gateway()
    with gateway.served() as url:
        tools = HttpToolsInvoker(url, headers={"Authorization": "Bearer t"})
        await tools.list_openai_tools()
        await tools.call_openai_tool(CALL)
    assert [headers["authorization"] for headers in gateway.headers] == ["Bearer t", "Bearer t"]


async def test_connections_are_kept_in_a_block_and_only_there() -> None:
    with Gateway().served() as url:
        async with HttpToolsInvoker(url) as tools:
            outputs = [await tools.call_openai_tool(CALL) for _ in range(3)]
        after = await tools.call_openai_tool(CALL)
    assert [*outputs, after] == [text_output("ok")] * 4


async def test_fifty_calls_at_once_come_to_fifty_answers() -> None:
    gateway = Gateway()
    with gateway.served() as url:
        async with HttpToolsInvoker(url) as tools:
            outputs = await asyncio.gather(*(tools.call_openai_tool(CALL) for _ in range(50)))
    assert outputs == [text_output("ok")] * 50
    assert len(gateway.invoked) == 50


def test_one_invoker_serves_several_event_loops() -> None:
    with Gateway().served() as url:
        tools = HttpToolsInvoker(url)
        for _ in range(2):
            assert asyncio.run(tools.call_openai_tool(CALL)) == text_output("ok")


@pytest.mark.parametrize(
    "call",
    [{}, {"function": {"name": "x", "arguments": "{broken"}}, {"function": {"arguments": "{}"}}],
)
async def test_a_call_that_is_none_is_not_sent(call: dict[str, JsonValue]) -> None:
    gateway = Gateway()
    with gateway.served() as url:
        output = await HttpToolsInvoker(url).call_openai_tool(call)
    assert not output.ok
    assert gateway.asked == []


async def test_a_gateway_that_is_away_is_said_to_be() -> None:
    tools = HttpToolsInvoker("http://user:secret@127.0.0.1:9")
    output = await tools.call_openai_tool(CALL)
    assert output.error is not None
    assert output.error.startswith("nothing answers at http://127.0.0.1:9")
    with pytest.raises(ToolsUnavailable, match="is it running"):
        await tools.list_openai_tools()


async def test_a_connection_that_breaks_leaves_open_whether_the_tool_ran() -> None:
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.close()

    async with await asyncio.start_server(breaks, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        output = await HttpToolsInvoker(f"http://127.0.0.1:{port}").call_openai_tool(CALL)
    assert output.error is not None
    assert "whether the call was carried out there is not known" in output.error


async def test_a_missing_token_is_an_error_that_says_how_to_pass_it() -> None:
    with (
        Gateway(listing=JSONResponse({"error": "token needed"}, 401)).served() as url,
        pytest.raises(Unauthorized, match=r"token needed .*Authorization"),
    ):
        await HttpToolsInvoker(url).list_openai_tools()


@pytest.mark.parametrize(
    "listing",
    [
        HTMLResponse("<html>"),
        JSONResponse({"hello": 1}),
        JSONResponse(None),
        JSONResponse(["a", "b"]),
        JSONResponse({"error": "down"}, 500),
        Response(b""),
    ],
)
async def test_no_list_of_tools_is_an_error(listing: Response) -> None:
    with Gateway(listing=listing).served() as url, pytest.raises(ToolsUnavailable, match=url):
        await HttpToolsInvoker(url).list_openai_tools()


@pytest.mark.parametrize(
    "address",
    ["", "127.0.0.1:8787", "ftp://host", "http://", "/tools", "http://a b:x", "file:///etc"],
)
def test_an_address_that_cannot_be_is_refused(address: str) -> None:
    with pytest.raises(BadRequest, match="base_url must be an address"):
        HttpToolsInvoker(address)


@pytest.mark.parametrize("headers", [{"X": "a\nb"}, {"X\n": "a"}, {"X": "ü"}, {"X": 1}])
def test_headers_that_cannot_be_sent_are_refused_without_their_value(
    headers: dict[str, str],
) -> None:
    with pytest.raises(BadRequest, match="is not one line of ASCII"):
        HttpToolsInvoker("http://127.0.0.1:1", headers=headers)


@pytest.mark.parametrize("timeout", [0, -1, 1e9, float("nan")])
def test_a_time_that_cannot_be_is_refused(timeout: float) -> None:
    with pytest.raises(BadRequest, match="timeout"):
        HttpToolsInvoker("http://127.0.0.1:1", timeout=timeout)


def test_a_path_in_the_address_is_kept() -> None:
    gateway = Gateway()
    with gateway.served() as url:
        asyncio.run(HttpToolsInvoker(f"{url}/deep/").call_openai_tool(CALL))
    assert gateway.asked == ["POST /deep/invoke"]


def test_the_environments_proxies_are_not_asked_for_a_server_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with Gateway().served() as url:
        assert asyncio.run(HttpToolsInvoker(url).call_openai_tool(CALL)) == text_output("ok")

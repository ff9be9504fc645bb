"""What an MCP server over HTTP refuses: forgotten sessions, authorization, limits, failures."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from starlette.responses import Response

from mini_agent import McpInvoker
from mini_agent.errors import ToolsUnavailable
from mini_agent.mcp.client.http import describe_proxy, is_loopback
from mini_agent.messages import function_call
from mini_agent.tools.outputs import parse_output
from tests.mcp.client.scripted_http import TOOL, ScriptedHttp, error, reply, result, serving

Refusal = Callable[[dict[str, object]], Response]
TOKEN = "token-of-one-test"

FORGOTTEN: dict[str, Refusal] = {
    "404 bare": lambda _: Response(status_code=404),
    "404 text": lambda _: Response("Session not found", 404),
    "404 JSON-RPC -32001": lambda m: error(m, -32001, "Session not found", 404),
    "404 JSON-RPC -32600": lambda m: error(m, -32600, "Session terminated", 404),
    "404 FastAPI": lambda _: reply({"detail": "Could not find session"}, 404),
    "400 no valid": lambda m: error(m, -32000, "Bad Request: No valid session ID provided", 400),
    "400 text": lambda _: Response("Invalid or missing session ID", 400),
    "400 initialized": lambda m: error(m, -32000, "Bad Request: Server not initialized", 400),
    "410 expired": lambda _: reply({"error": "Session has expired"}, 410),
    "200 error": lambda m: error(m, -32600, "Session not found"),
    "200 -32001": lambda m: error(m, -32001, "session s1 was terminated"),
}


async def call_add(tools: McpInvoker) -> str:
    output = parse_output(await tools.call_openai_tool(function_call("1", "add", {"a": 1})))
    return output.error or output.stdout


@pytest.mark.parametrize("wording", FORGOTTEN)
async def test_a_forgotten_session_is_opened_anew_and_the_call_made_once(wording: str) -> None:
    async with (
        serving(ScriptedHttp(forgets=FORGOTTEN[wording])) as server,
        McpInvoker.address(server.url) as tools,
    ):
        await tools.list_openai_tools()
        server.known.clear()
        assert await call_add(tools) == "3"
        server.known.clear()
        assert len(await tools.list_openai_tools()) == 1
    assert (len(server.calls), len(server.sessions)) == (1, 3)


async def test_a_server_that_never_knows_its_sessions_is_an_error_and_no_circle() -> None:
    async with (
        serving(ScriptedHttp(forgets=FORGOTTEN["404 bare"])) as server,
        McpInvoker.address(server.url) as tools,
    ):
        await tools.list_openai_tools()
        server.known = Forgetful()
        assert "has forgotten this session" in await call_add(tools)
    assert (server.calls, len(server.sessions)) == ([], 2)


class Forgetful(set[str]):
    def add(self, _session: str) -> None:
        pass


async def test_many_calls_of_a_lost_session_open_one_new_session() -> None:
    async with (
        serving(ScriptedHttp(forgets=FORGOTTEN["404 text"])) as server,
        McpInvoker.address(server.url) as tools,
    ):
        await tools.list_openai_tools()
        server.known.clear()
        assert await asyncio.gather(*(call_add(tools) for _ in range(5))) == ["3"] * 5
    assert (len(server.calls), len(server.sessions)) == (5, 2)


async def test_an_error_of_a_tool_about_a_session_is_no_lost_session() -> None:
    text = "browser session not found"
    answer = {"content": [{"type": "text", "text": text}], "isError": True}

    def refuse(message: dict[str, object]) -> Response | None:
        return result(message, answer) if message["method"] == "tools/call" else None

    async with serving(ScriptedHttp(refuse)) as server, McpInvoker.address(server.url) as tools:
        assert await call_add(tools) == text
    assert len(server.sessions) == 1


STATUSES = [
    (401, {}, "wants authorization (401): set bearer_token_env_var"),
    (403, {}, "forbids this (403): the account of the token lacks the right; it says: why"),
    (404, {}, "nothing at this path (404): check the url"),
    (429, {"Retry-After": "7"}, "too many requests (429): call again after 7 s"),
    (429, {}, "too many requests (429): call later"),
    (500, {}, "it failed (500), which its own log explains: call later; it says: why"),
    (503, {}, "it failed (503)"),
    (418, {}, "it refuses the request (418)"),
]


@pytest.mark.parametrize(("status", "headers", "said"), STATUSES)
async def test_statuses_are_told_apart_at_the_start_and_in_a_call(
    status: int, headers: dict[str, str], said: str
) -> None:
    refused = Response("<html><b>why</b></html>", status, headers)
    async with serving(ScriptedHttp(lambda _message: refused)) as server:
        async with McpInvoker.address(server.url) as tools:
            with pytest.raises(ToolsUnavailable) as raised:
                await tools.list_openai_tools()
            assert said in str(raised.value)
        if status == 404:
            return
        server.refuse = lambda message: refused if message["method"] == "tools/call" else None
        async with McpInvoker.address(server.url) as tools:
            assert said in await call_add(tools)
            assert len(await tools.list_openai_tools()) == 1


async def test_a_refused_token_is_said_to_be_one_and_shows_nowhere() -> None:
    refused = Response(f"token {TOKEN} is bad", 401)
    async with serving(ScriptedHttp(lambda _message: refused)) as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = server.url.replace("//", "//user:pass-of-one@") + f"?key={TOKEN}2"
        async with McpInvoker.address(url, headers) as tools:
            said = await call_add(tools)
    assert "does not accept this authorization (401): renew the token" in said
    assert TOKEN not in said
    assert "pass-of-one" not in said


async def test_a_broken_exchange_costs_its_own_call() -> None:
    broken = Response('{"jsonrpc": "2.0", "id": ', 200, media_type="application/json")

    def refuse(message: dict[str, object]) -> Response | None:
        is_broken = message["method"] == "tools/call" and "bad" in str(message)
        return broken if is_broken else None

    async with serving(ScriptedHttp(refuse)) as server, McpInvoker.address(server.url) as tools:
        bad = function_call("1", "add", {"bad": 1})
        failed, well = await asyncio.gather(tools.call_openai_tool(bad), call_add(tools))
    assert "its answer cannot be read" in str(parse_output(failed).error)
    assert (well, len(server.sessions)) == ("3", 1)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_no_proxy_stands_before_this_machine(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9")
    async with serving(ScriptedHttp()) as server:
        async with McpInvoker.address(server.url) as tools:
            assert await call_add(tools) == "3"
        async with McpInvoker.address(server.url.replace("127.0.0.1", "localhost")) as tools:
            assert await call_add(tools) == "3"


async def test_a_proxy_that_was_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:pass-of-one@127.0.0.1:9")
    async with McpInvoker.address("http://tools.example/mcp") as tools:
        said = await call_add(tools)
    assert "cannot be reached (through the proxy http://127.0.0.1:9; NO_PROXY" in said
    assert "pass-of-one" not in said


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:1/mcp", True),
        ("http://[::1]:1/mcp", True),
        ("http://localhost/mcp", True),
        ("http://app.localhost:3/mcp", True),
        ("http://127.9.9.9/", True),
        ("http://10.0.0.1/", False),
        ("http://localhost.example/", False),
    ],
)
def test_what_is_of_this_machine(url: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "proxy:3128")
    assert is_loopback(url) == expected
    assert describe_proxy("http://10.0.0.1/").startswith(" (through the proxy http://proxy:3128")


@pytest.mark.parametrize("next_cursor", ["", "same", None, 5])
async def test_a_cursor_that_is_empty_or_does_not_move_ends_the_listing(
    next_cursor: object,
) -> None:
    def refuse(message: dict[str, object]) -> Response | None:
        listing = {"tools": [TOOL], "nextCursor": next_cursor}
        return result(message, listing) if message["method"] == "tools/list" else None

    async with serving(ScriptedHttp(refuse)) as server, McpInvoker.address(server.url) as tools:
        assert len(await tools.list_openai_tools()) == 1


async def test_a_long_listing_is_whole() -> None:
    def refuse(message: dict[str, object]) -> Response | None:
        if message["method"] != "tools/list":
            return None
        params = message.get("params")
        page = int(str(params.get("cursor", 0))) if isinstance(params, dict) else 0
        more = {"nextCursor": str(page + 1)} if page < 150 else {}
        return result(message, {"tools": [{**TOOL, "name": f"t{page}"}], **more})

    async with serving(ScriptedHttp(refuse)) as server, McpInvoker.address(server.url) as tools:
        assert len(await tools.list_openai_tools()) == 151

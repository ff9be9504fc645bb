"""`mini-agent mcp`, called by the SDK's client, over real sandboxes."""

from __future__ import annotations

import asyncio
import json
import os

import httpx
import pytest
from mcp import Client

from tests.docker.sidecar_process import HEADERS, Sidecar
from tests.mcp.sandbox_server.conftest import (
    COMMAND,
    ConnectMode,
    by_command,
    environment,
)
from tests.mcp.sandbox_server.results import call_error, call_text, find_session_id

pytestmark = [pytest.mark.docker]

HELLO: dict[str, object] = {
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
INITIALIZED: dict[str, object] = {"method": "notifications/initialized"}


async def test_clients_do_not_see_each_others_files(real: Sidecar, client: Client) -> None:
    await call_text(client, "write_file", path="mine.txt", content="x")
    async with by_command(environment(real.url)) as second:
        assert await call_text(second, "list_files") == "(no files)"


async def test_a_client_that_leaves_takes_its_sessions_along(real: Sidecar) -> None:
    async with by_command(environment(real.url)) as leaving:
        session = find_session_id(await call_text(leaving, "shell", command="true", session="new"))
    async with httpx.AsyncClient(base_url=real.url, headers=HEADERS) as http:
        assert (await http.get(f"/v1/sessions/{session}")).status_code == 404


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_cancelled_call_ends_its_program_and_the_next_one_runs(
    real: Sidecar, mode: ConnectMode
) -> None:
    began = asyncio.Event()

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        began.set()

    long = {"command": "echo begun; sleep 60; echo survived >survived.txt"}
    async with by_command(environment(real.url), mode) as client:
        call = asyncio.create_task(client.call_tool("shell", long, progress_callback=heard))
        await asyncio.wait_for(began.wait(), 50)
        call.cancel()
        async with asyncio.timeout(40):
            assert "survived" not in await call_text(client, "shell", command="ls")


async def test_a_server_told_to_stop_ends_its_sessions_first(real: Sidecar) -> None:
    server = await asyncio.create_subprocess_exec(
        COMMAND,
        "mcp",
        env=environment(real.url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    opened = {"name": "shell", "arguments": {"command": "true", "session": "new"}}
    for message in (HELLO, INITIALIZED, {"id": 2, "method": "tools/call", "params": opened}):
        server.stdin.write(json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")
    await server.stdout.readline()
    session = find_session_id(
        json.loads(await server.stdout.readline())["result"]["content"][0]["text"]
    )
    server.terminate()
    await asyncio.wait_for(server.wait(), 50)
    async with httpx.AsyncClient(base_url=real.url, headers=HEADERS) as http:
        assert (await http.get(f"/v1/sessions/{session}")).status_code == 404


async def test_without_a_sidecar_each_call_says_what_to_set() -> None:
    async with by_command({}) as unset:
        assert len((await unset.list_tools()).tools) == 5
        assert "set MINI_AGENT_SIDECAR_URL" in await call_error(unset, "shell", command="true")


async def test_whoever_starts_it_at_a_terminal_is_told_what_it_is_for() -> None:
    ours, terminal = os.openpty()
    started = await asyncio.create_subprocess_exec(
        COMMAND, "mcp", stdin=terminal, stderr=asyncio.subprocess.PIPE
    )
    os.close(terminal)
    assert started.stderr is not None
    said = await started.stderr.readline()
    started.terminate()
    await started.wait()
    os.close(ours)
    assert b"speaks MCP on stdin and stdout, for a client that starts it" in said


async def test_a_language_that_nobody_has_is_told_with_its_variable() -> None:
    started = await asyncio.create_subprocess_exec(
        COMMAND,
        "mcp",
        env=os.environ | {"LITELLM_MINI_AGENT_LANGUAGES": "cobol"},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await started.communicate()
    assert started.returncode == 1
    assert b"LITELLM_MINI_AGENT_LANGUAGES: no image for language 'cobol'; known:" in said


async def test_a_sidecar_that_is_away_is_an_error_and_a_wrong_token_too(real: Sidecar) -> None:
    async with by_command(environment("http://127.0.0.1:9")) as away:
        assert "does not answer" in await call_error(away, "shell", command="true")
    wrong = environment(real.url) | {"MINI_AGENT_SIDECAR_TOKEN": "wrong"}
    async with by_command(wrong) as denied:
        assert "token" in await call_error(denied, "list_files")


async def test_the_languages_that_are_allowed_are_the_only_ones(real: Sidecar) -> None:
    only = environment(real.url) | {"LITELLM_MINI_AGENT_LANGUAGES": "python"}
    async with by_command(only) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert listed["run_code"].input_schema["properties"]["language"]["enum"] == ["python"]
        refused = await call_error(client, "run_code", language="node", code="1")
        shell = await call_error(client, "shell", command="cat /etc/passwd")
    assert refused == "node is not allowed here; allowed: python"
    assert "the command 'cat' is not allowed" in shell

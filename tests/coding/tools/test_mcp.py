"""`mini-agent tools`: the tools for any MCP client, tested with the SDK's client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from mcp import Client, MCPError, StdioServerParameters, stdio_client
from mcp.types import CallToolResult, ImageContent, TextContent

from mini_agent.messages import JsonObject
from tests.coding.tools.test_bash import read_pid, wait_for_end
from tests.coding.tools.test_read import PNG

SERVER = "mini_agent.coding.mcp_server"
COMMAND = str(Path(sys.executable).with_name("mini-agent"))


@asynccontextmanager
async def connect(folder: Path, **variables: str) -> AsyncIterator[Client]:
    """Yield a client of the server, started in `folder`."""
    given = {
        "HOME": str(folder.parent / "home"),
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        **variables,
    }
    parameters = StdioServerParameters(command=COMMAND, args=["tools"], cwd=folder, env=given)
    async with Client(stdio_client(parameters)) as client:
        yield client


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def read_text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


async def test_the_tools_are_listed_with_what_they_do_to_files(project: Path) -> None:
    async with connect(project) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert {"Read", "Edit", "Bash", "Grep", "WebFetch"} <= set(listed)
    assert listed["Read"].input_schema["required"] == ["file_path"]
    reading = listed["Read"].annotations
    writing = listed["Write"].annotations
    assert reading is not None
    assert writing is not None
    assert (reading.read_only_hint, writing.read_only_hint) == (True, False)


async def test_calls_are_answered_and_errors_are_marked(project: Path) -> None:
    async with connect(project) as client:
        made = await client.call_tool("Write", {"file_path": "a.txt", "content": "hi\n"})
        read = await client.call_tool("Read", {"file_path": "a.txt"})
        wrong = await client.call_tool("Read", {"file_path": 1})
        failed = await client.call_tool("Bash", {"command": "exit 3"})
        with pytest.raises(MCPError, match="there is no tool 'Fly'"):
            await client.call_tool("Fly", {})
    assert not made.is_error
    assert read_text(read).startswith("    1→hi\n")
    assert wrong.is_error
    assert read_text(wrong) == (
        "Error: the parameter `file_path` type is expected as `string` but provided as `int`\n"
    )
    assert failed.is_error
    assert read_text(failed) == "Exit code 3"


async def test_twenty_calls_at_once_get_their_own_answers(project: Path) -> None:
    for number in range(20):
        (project / f"f{number}").write_text(f"content {number}.")
    async with connect(project) as client, asyncio.TaskGroup() as reading:
        reads = [
            reading.create_task(client.call_tool("Read", {"file_path": f"f{number}"}))
            for number in range(20)
        ]
    for number, read in enumerate(reads):
        assert f"content {number}." in read_text(read.result())


async def test_a_picture_is_a_picture(project: Path) -> None:
    (project / "dot.png").write_bytes(PNG)
    async with connect(project) as client:
        read = await client.call_tool("Read", {"file_path": "dot.png"})
    assert isinstance(read.content[1], ImageContent)
    assert read.content[1].mime_type == "image/png"


async def test_what_settings_deny_is_denied(project: Path) -> None:
    settings = {"permissions": {"deny": ["Read(secret/**)", "Bash(rm *)"]}}
    (project / ".claude").mkdir()
    (project / ".claude" / "settings.json").write_text(json.dumps(settings))
    (project / "secret").mkdir()
    (project / "secret" / "key").write_text("needle")
    async with connect(project) as client:
        read = await client.call_tool("Read", {"file_path": "secret/key"})
        found = await client.call_tool("Grep", {"pattern": "needle"})
        removed = await client.call_tool("Bash", {"command": "true && rm -r secret"})
    assert read.is_error
    assert "denied here by the rule Read(secret/**)" in read_text(read)
    assert read_text(found) == "No files found\n"
    assert removed.is_error


@pytest.mark.parametrize("settings", ["[]", "null", "5", '{"permissions": null}', '{"env": []}'])
def test_settings_that_hold_no_permissions_cost_a_line(project: Path, settings: str) -> None:
    ended = serve_nobody(project, settings)
    assert ended.returncode == 0
    assert b"settings.json, line 1: " in ended.stderr
    assert b"left out" in ended.stderr


def test_settings_whose_permissions_are_lost_are_refused(project: Path) -> None:
    ended = serve_nobody(project, '[{"permissions": {"deny": ["LS"]}}]')
    assert ended.returncode == 1
    assert b"it holds permissions" in ended.stderr


def serve_nobody(project: Path, settings: str) -> subprocess.CompletedProcess[bytes]:
    """Run the server with these settings for a client that is gone already."""
    (project / ".claude").mkdir()
    (project / ".claude" / "settings.json").write_text(settings)
    return subprocess.run(
        [COMMAND, "tools"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


async def test_a_client_that_leaves_takes_its_background_along(project: Path) -> None:
    note = project / "it"
    async with connect(project) as client:
        command = {"command": f"echo $$ >{note}; sleep 60", "run_in_background": True}
        await client.call_tool("Bash", command)
        process = await read_pid(note)
    await wait_for_end(process)


async def test_it_starts_without_what_only_some_calls_need() -> None:
    slow = ("httpx", "rich", "litellm", "mini_agent.sandbox.client", "mini_agent.agent.loop")
    code = f"import sys, {SERVER}; print([name for name in {slow} if name in sys.modules])"
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code), stdout=asyncio.subprocess.PIPE
    )
    imported, _ = await started.communicate()
    assert imported == b"[]\n"


async def test_a_folder_that_is_gone_is_said(project: Path) -> None:
    server = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"rmdir ../project && exec {COMMAND} tools"),
        cwd=project,
        stderr=asyncio.subprocess.PIPE,
    )
    _, complaint = await server.communicate()
    assert complaint == b"mini-agent: the folder you are in is gone\n  cd into another one\n"


async def test_broken_settings_are_named_with_their_line(project: Path) -> None:
    (project / ".claude").mkdir()
    (project / ".claude" / "settings.json").write_text('{\n "permissions": {\n  "deny": ["("]\n}}')
    server = await asyncio.create_subprocess_exec(
        *(COMMAND, "tools"), cwd=project, stderr=asyncio.subprocess.PIPE, stdin=-3
    )
    _, complaint = await server.communicate()
    assert server.returncode == 1
    assert b"settings.json, line 3: permissions.deny.0: '(' is no rule" in complaint


async def test_a_call_that_its_client_cancels_ends_with_its_command(project: Path) -> None:
    note = project / "it"
    command = f"trap '' TERM; echo $$ >{note}; sleep 60; sleep 60"
    who: JsonObject = {"name": "raw", "version": "1"}
    hello: JsonObject = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": who,
    }
    bash: JsonObject = {"name": "Bash", "arguments": {"command": command}}
    server = await asyncio.create_subprocess_exec(
        *(COMMAND, "tools"), cwd=project, stdin=asyncio.subprocess.PIPE, stdout=-1
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(message("initialize", hello, 1))
    await server.stdout.readline()
    server.stdin.write(message("notifications/initialized", {}))
    server.stdin.write(message("tools/call", bash, 2))
    process = await read_pid(note)
    server.stdin.write(message("notifications/cancelled", {"requestId": 2}))
    await wait_for_end(process)
    await server.communicate(message("ping", {}, 3))
    assert server.returncode == 0


def message(method: str, params: JsonObject, number: int | None = None) -> bytes:
    """Return a line of JSON-RPC."""
    asked: JsonObject = {"jsonrpc": "2.0", "method": method, "params": params}
    return json.dumps(asked | ({} if number is None else {"id": number})).encode() + b"\n"

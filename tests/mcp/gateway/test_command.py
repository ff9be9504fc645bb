"""`mini-agent gateway` as a process: when it starts, when it does not, and what it leaves."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from pathlib import Path

import pytest

from mini_agent_shim.mcp.gateway_main import VARIABLE, listen
from tests.mcp.gateway.conftest import (
    COMMAND,
    client_at,
    count_done,
    gateway,
    names,
    ours,
    until,
)
from tests.tools.conftest import Notes

# Of tests/tools/mcp_server_here.py.
TOOLS = 11


async def told(*arguments: str, **variables: str) -> tuple[int, str]:
    """How a gateway that does not start ends, and what it says."""
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        "gateway",
        *arguments,
        env=os.environ | variables,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, said.decode()


async def test_no_process_is_left_after_it_was_told_to_stop(tmp_path: Path, notes: Notes) -> None:
    (tmp_path / "config.toml").write_text(
        "".join(ours(f"s{n}", notes=notes.path) for n in range(3))
    )
    files = ("--config", str(tmp_path / "config.toml"))
    async with gateway(*files) as (process, url), client_at(url) as client:
        await names(client)
        slow = {"name": "s0__slow", "arguments": {"seconds": 60}}
        call = asyncio.create_task(client.post("/invoke", json=slow))
        await notes.until("slow began")
        assert len(notes.started) == 3
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
        call.cancel()
    assert [pid for pid in notes.started if str(pid) in os.listdir("/proc")] == []  # noqa: PTH208


async def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(ours("one", enabled_tools=["add"]))
    other = json.loads('{"mcpServers": {"two": {"enabled_tools": ["add"]}}}')
    command, server = (ours("x").split('"')[place] for place in (1, 3))
    other["mcpServers"]["two"] |= {"command": command, "args": [server]}
    (tmp_path / ".mcp.json").write_text(json.dumps(other))
    files = ("--config", str(tmp_path / "config.toml"), "--config", str(tmp_path / ".mcp.json"))
    async with gateway(*files) as (_, url), client_at(url) as client:

        async def are_there() -> bool:
            return await names(client) == ["one__add", "two__add"]

        await until(are_there)


async def test_without_a_file_it_says_which_one_it_looked_for(tmp_path: Path) -> None:
    status, said = await told(CODEX_HOME=str(tmp_path))
    assert status == 1
    assert f"{tmp_path}/config.toml cannot be read: No such file or directory" in said
    assert "name a config.toml of Codex or a .mcp.json with --config" in said


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[mcp_servers.x]\ncommand = 'nowhere'\nrequired = true", "the required MCP server 'x'"),
        ("[mcp_servers.x", "is not TOML"),
    ],
)
async def test_it_does_not_start_with_less_than_is_required(
    tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    status, said = await told("--config", str(path), "--port", "0")
    assert status == 1
    assert why in said
    assert "Traceback" not in said


async def test_on_other_addresses_than_loopback_it_wants_a_token(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    status, said = await told("--config", str(path), "--host", "0.0.0.0", **{VARIABLE: ""})
    assert status == 1
    assert "would listen on 0.0.0.0 without a token" in said
    assert VARIABLE in said


async def test_a_port_that_is_taken_or_none_is_told_before_anything_starts(
    tmp_path: Path, notes: Notes
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(ours("one", notes=notes.path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = (str(taken.getsockname()[1]), "99999")
        told_of = [await told("--config", str(path), "--port", port) for port in ports]
    assert [status for status, _ in told_of] == [1, 1]
    assert f"cannot listen on 127.0.0.1, port {ports[0]}: Address already in use" in told_of[0][1]
    assert "--port 0 is a free one" in told_of[0][1]
    assert "port 99999: a port is below 65536" in told_of[1][1]
    assert notes.started == []


def test_answers_are_sent_at_once() -> None:
    # Else asyncio leaves it to Nagle's algorithm when they go.
    with listen("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


async def test_a_server_that_hangs_does_not_outlive_it_either(tmp_path: Path, notes: Notes) -> None:
    (tmp_path / "config.toml").write_text(
        "".join(ours(f"s{n}", notes=notes.path) for n in range(5))
    )
    files = ("--config", str(tmp_path / "config.toml"))
    async with gateway(*files) as (process, url), client_at(url) as client:
        assert len(await names(client)) == 5 * TOOLS
        os.kill(notes.started[0], signal.SIGSTOP)
        adds = [{"name": f"s{n % 5}__add", "arguments": {"a": n, "b": 0}} for n in range(50)]
        calls = [asyncio.create_task(client.post("/invoke", json=each)) for each in adds]
        assert await count_done(calls, 40) == 40
        said = {call.result().json()["text"] for call in calls if call.done()}
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
    assert len(said) == 40
    assert [pid for pid in notes.started if str(pid) in os.listdir("/proc")] == []  # noqa: PTH208

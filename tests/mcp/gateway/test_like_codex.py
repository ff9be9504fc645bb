"""The same file, read by Codex and by us: the same servers, reached in the same way."""

from __future__ import annotations

import json
import os
from pathlib import Path
from shlex import quote

import pytest

from mini_agent.mcp.client.server import McpAddress, McpCommand
from mini_agent.mcp.gateway.config_file import STARTUP_TIMEOUT_S, TOOL_TIMEOUT_S
from mini_agent.mcp.gateway.configuration import ConfiguredServer, load_configuration
from tests.mcp.gateway.files import one
from tests.mcp.sandbox_server.clients import said_by

pytestmark = pytest.mark.timeout(400)

VARIABLES = {"TOKEN": "t", "REGION": "eu", "FORWARDED": "f"}
FILE = """
model = "something"

[mcp_servers.plain]
command = "npx"

[mcp_servers.all]
command = "npx"
args = ["-y", "server", "--flag=$HOME"]
cwd = "/srv"
env = { MODE = "fast", PORT = "80" }
env_vars = ["FORWARDED", "UNSET", { name = "REGION", source = "local" }]
startup_timeout_sec = 2.5
tool_timeout_sec = 7
enabled_tools = ["read", "list"]
disabled_tools = ["list"]

[mcp_servers.all.tools.read]
approval_mode = "approve"

[mcp_servers.nothing]
command = "npx"
enabled_tools = []

[mcp_servers.off]
command = "true"
enabled = false

[mcp_servers.far]
url = "http://127.0.0.1:9/mcp"
bearer_token_env_var = "TOKEN"
http_headers = { X-Place = "here" }
env_http_headers = { X-Region = "REGION" }
startup_timeout_ms = 1500
required = true

[mcp_servers."a dot.and more"]
command = "npx"
unknown_key = 3
scopes = ["x"]
supports_parallel_tool_calls = true
default_tools_approval_mode = "auto"

[servers.old]
command = "ignored"
"""
REFUSED = [
    'command = "a"\nurl = "http://h/mcp"',
    'args = ["a"]',
    'url = "http://h/mcp"\nenv = { A = "1" }',
    'url = "http://h/mcp"\nargs = ["a"]',
    'url = "http://h/mcp"\nbearer_token = "x"',
    'command = "a"\nhttp_headers = { A = "1" }',
    'command = "a"\nbearer_token_env_var = "A"',
    'command = "a"\nstartup_timeout_sec = "1"',
    'command = "a"\ntool_timeout_sec = -1',
    'command = "a"\nargs = "b"',
    'command = "a"\nenv = { A = 1 }',
    'command = "a"\nenabled_tools = "b"',
]


def _of_codex(said: dict[str, object], shown: dict[str, object]) -> dict[str, object]:
    transport = said["transport"]
    assert isinstance(transport, dict)
    each = transport.get("env_vars") or []
    names = [name if isinstance(name, str) else name["name"] for name in each]
    forwarded = {name: VARIABLES[name] for name in names if name in VARIABLES}
    headers = dict(transport.get("http_headers") or {})
    for header, name in (transport.get("env_http_headers") or {}).items():
        headers[header] = VARIABLES[name]
    if transport.get("bearer_token_env_var"):
        headers["Authorization"] = f"Bearer {VARIABLES[transport['bearer_token_env_var']]}"
    return {
        "name": said["name"],
        "is_enabled": said["enabled"],
        "command": transport.get("command"),
        "args": transport.get("args") or [],
        "env": forwarded | (transport.get("env") or {}),
        "cwd": transport.get("cwd"),
        "url": transport.get("url"),
        "headers": headers,
        "startup_s": said["startup_timeout_sec"] or STARTUP_TIMEOUT_S,
        "tool_s": said["tool_timeout_sec"] or TOOL_TIMEOUT_S,
        "enabled_tools": shown.get("enabled_tools"),
        "disabled_tools": shown.get("disabled_tools") or [],
    }


def _of_ours(server: ConfiguredServer) -> dict[str, object]:
    reached = server.server
    by_command = reached if isinstance(reached, McpCommand) else None
    by_address = reached if isinstance(reached, McpAddress) else None
    tools = server.enabled_tools
    return {
        "name": server.name,
        "is_enabled": server.is_enabled,
        "command": by_command and by_command.command,
        "args": list(by_command.args) if by_command else [],
        "env": dict(by_command.env) if by_command else {},
        "cwd": by_command and by_command.cwd,
        "url": by_address and by_address.url,
        "headers": dict(by_address.headers) if by_address else {},
        "startup_s": server.startup_s,
        "tool_s": server.tool_s,
        "enabled_tools": None if tools is None else list(tools),
        "disabled_tools": list(server.disabled_tools),
    }


async def test_both_find_the_same_servers_with_the_same_transports_and_filters(
    tmp_path: Path,
) -> None:
    path = tmp_path / ".codex/config.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    listed = json.loads(await said_by("codex mcp list --json", tmp_path, {}))
    theirs = []
    for said in listed:
        is_on = said["enabled"]
        shown = (
            await said_by(f"codex mcp get {quote(said['name'])} --json", tmp_path, {})
            if is_on
            else "{}"
        )
        theirs.append(_of_codex(said, json.loads(shown)))
    ours = [
        _of_ours(each)
        for each in load_configuration([path], VARIABLES).servers
        if each.name not in ("off", "old")
    ]
    by_name = {str(each["name"]): each for each in theirs}
    assert by_name.pop("off")["is_enabled"] is False
    assert by_name == {str(each["name"]): each for each in ours}


@pytest.mark.parametrize("text", REFUSED)
async def test_what_codex_refuses_is_left_out_by_us(tmp_path: Path, text: str) -> None:
    path = tmp_path / ".codex/config.toml"
    path.parent.mkdir()
    path.write_text(f"[mcp_servers.x]\n{text}\n")
    with pytest.raises(AssertionError, match=r"mcp_servers\.x"):
        await said_by("codex mcp list --json", tmp_path, {})
    assert one(load_configuration([path], os.environ)).problem.startswith("x")

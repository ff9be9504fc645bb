"""Files of servers as Claude Code, Codex, VS Code, Cursor and others write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mini_agent.mcp.gateway.configuration import load_configuration
from tests.mcp.gateway.files import one, read, read_address, read_command


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("${A}", "a"),
        ("${env:A}", "a"),
        ("${A:-x}${NO:-y}", "ay"),
        ("${NO:-${A}}", "a"),
        ("${NO:-${NONE:-x}}/z", "x/z"),
        ("${env:NO:-${env:A}}", "a"),
        ("${NO:-}", ""),
        ("${A:-${NO}}", "a"),
        ("$A $HOME", "$A $HOME"),
        ("${1x} ${", "${1x} ${"),
        ("${workspaceFolder}${/}x", "{folder}/x"),
        ("${workspaceFolderBasename}", "{name}"),
        ("${userHome}", "{home}"),
    ],
)
def test_references_of_all_clients_are_replaced(tmp_path: Path, text: str, expanded: str) -> None:
    body = json.dumps({"mcpServers": {"s": {"command": "x", "args": [text]}}})
    (arg,) = read_command(one(read(tmp_path, body, ".mcp.json", A="a"))).args
    places = {"folder": str(tmp_path), "name": tmp_path.name, "home": str(Path.home())}
    assert arg == (
        expanded.format(**places) if "{" in expanded and "$" not in expanded else expanded
    )


def test_an_input_of_an_editor_is_said_to_be_one(tmp_path: Path) -> None:
    body = '{"inputs": [], "servers": {"s": {"command": "x", "env": {"K": "${input:key}"}}}}'
    server = one(read(tmp_path, body, "mcp.json"))
    assert server.problem.startswith("s.env.K: ${input:key} is asked for by an editor")
    assert "write ${NAME}" in server.problem


@pytest.mark.parametrize("folder", [".vscode", ".cursor"])
def test_the_folder_of_an_editors_file_is_its_workspace(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / ".env").write_text("# a comment\nexport TOKEN='t o'\nOTHER=1\n")
    path = tmp_path / folder / "mcp.json"
    path.write_text(
        '{"servers": {"s": {"command": "${workspaceFolder}/run", '
        '"envFile": "${workspaceFolder}/.env", "env": {"OTHER": "2"}}}}'
    )
    started = read_command(one(load_configuration([path], {})))
    assert started.command == f"{tmp_path}/run"
    assert (started.env["TOKEN"], started.env["OTHER"]) == ("t o", "2")


def test_an_env_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    body = '{"mcpServers": {"s": {"command": "x", "envFile": "no.env"}}}'
    problem = one(read(tmp_path, body, "mcp.json")).problem
    assert problem == f"s.envFile: {tmp_path}/no.env cannot be read: No such file or directory"


COMMENTED = """\ufeff// of an editor
{
  /* all */ "servers": {
    "s": { "command": "x", "args": ["http://a//b", "/*", "a,]",], }, // the end
  },
}
"""


@pytest.mark.parametrize("name", [".mcp.json", "mcp.jsonc"])
def test_json_may_have_comments_trailing_commas_and_a_mark(tmp_path: Path, name: str) -> None:
    assert list(read_command(one(read(tmp_path, COMMENTED, name))).args) == [
        "http://a//b",
        "/*",
        "a,]",
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", [".mcp.json", "config.toml"])
def test_files_of_windows_are_read(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    toml = '[mcp_servers.s]\r\ncommand = "x"\r\n'
    body = '{"mcpServers":\r\n {"s": {"command": "x"}}}'
    path.write_bytes((toml if name.endswith("toml") else body).encode(encoding))
    assert read_command(one(load_configuration([path], {}))).command == "x"


@pytest.mark.parametrize(
    "wrapped",
    ['{"mcpServers": %s}', '{"servers": %s}', '{"mcp": {"servers": %s}}', "%s", '{"mcp": %s}'],
)
def test_the_table_of_servers_has_many_names(tmp_path: Path, wrapped: str) -> None:
    if wrapped == '{"mcp": %s}':
        wrapped = '{"mcp": {"mcpServers": %s}}'
    body = wrapped % '{"s": {"command": "x"}}'
    assert one(read(tmp_path, body, ".mcp.json")).name == "s"


@pytest.mark.parametrize(
    ("kind", "transport"),
    [
        ("http", "auto"),
        ("streamableHttp", "auto"),
        ("streamable-http", "auto"),
        ("streamable_http", "auto"),
        ("sse", "sse"),
        ("SSE", "sse"),
        (None, "auto"),
    ],
)
def test_transports_as_clients_write_them(tmp_path: Path, kind: str | None, transport: str) -> None:
    table: dict[str, object] = {
        "type": kind,
        "url": "http://h/mcp",
        "headers": {},
        "env": {},
        "args": [],
    }
    body = json.dumps({"mcpServers": {"s": table}})
    assert read_address(one(read(tmp_path, body, ".mcp.json"))).transport == transport


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"type": "ws", "url": "http://h"}, "s.type: Input should be 'stdio', 'http' or 'sse'"),
        ({"type": "stdio", "url": "http://h"}, "s: its type is stdio, and there is only the url"),
        ({"type": "sse", "command": "x"}, "s: its type is sse, and there is only the command"),
    ],
)
def test_a_transport_that_cannot_be_is_said(
    tmp_path: Path, table: dict[str, str], problem: str
) -> None:
    assert (
        one(read(tmp_path, json.dumps({"servers": {"s": table}}), ".mcp.json")).problem == problem
    )


@pytest.mark.parametrize(
    ("name", "key", "value", "seconds"),
    [
        (".mcp.json", "timeout", 5000, 5.0),
        (".mcp.json", "timeout", 60, 60.0),
        (".mcp.json", "tool_timeout_sec", 7, 7.0),
        ("config.toml", "timeout", 30, 30.0),
        ("config.toml", "tool_timeout_sec", 2.5, 2.5),
    ],
)
def test_timeouts_are_in_the_unit_of_their_file(
    tmp_path: Path, name: str, key: str, value: float, seconds: float
) -> None:
    toml = f'[mcp_servers.s]\ncommand = "x"\n{key} = {value}'
    body = json.dumps({"mcpServers": {"s": {"command": "x", key: value}}})
    text = toml if name.endswith("toml") else body
    assert one(read(tmp_path, text, name)).tool_s == seconds


def test_values_of_json_that_toml_does_not_have(tmp_path: Path) -> None:
    table = {"command": "x", "env": {"PORT": 80, "ON": True, "NO": None}, "url": None}
    body = json.dumps({"servers": {"s": table, "off": {"command": "x", "disabled": True}}})
    server, off = read(tmp_path, body, "mcp.json").servers
    assert read_command(server).env == {"PORT": "80", "ON": "true"}
    assert not off.is_enabled

"""The files that name MCP servers: every key, both formats, and all that can be wrong in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mini_agent.errors import NotConfigured
from mini_agent.mcp.gateway.configuration import load_configuration
from mini_agent.mcp.gateway.tables import default_file
from tests.mcp.gateway.files import (
    one,
    read,
    read_address,
    read_command,
)

ALL_OF_A_COMMAND = """
[mcp_servers.files]
command = "${BIN:-npx}"
args = ["-y", "server", "${FOLDER}"]
cwd = "/srv/${FOLDER}"
env = { MODE = "${MODE:-fast}", LITERAL = "$HOME" }
env_vars = ["TOKEN", { name = "REGION", source = "local" }, "UNSET"]
startup_timeout_sec = 2.5
tool_timeout_sec = 7
enabled = true
required = true
enabled_tools = ["read", "list"]
disabled_tools = ["list"]
supports_parallel_tool_calls = true
default_tools_approval_mode = "auto"
"""
ALL_OF_AN_ADDRESS = """
[mcp_servers.far]
url = "https://${HOST}/mcp"
bearer_token_env_var = "TOKEN"
http_headers = { X-Place = "${PLACE:-here}" }
env_http_headers = { X-Region = "REGION" }
startup_timeout_ms = 1500
"""
SECRET = "a-secret-for-one-test"


def test_a_command_has_all_that_its_table_says(tmp_path: Path) -> None:
    given = {"FOLDER": "data", "TOKEN": SECRET, "REGION": "eu", "PRIVATE": "x", "LANG": "C"}
    server = one(read(tmp_path, ALL_OF_A_COMMAND, **given))
    started = read_command(server)
    assert (started.command, started.cwd) == ("npx", "/srv/data")
    assert list(started.args) == ["-y", "server", "data"]
    assert started.env == {
        "LANG": "C",
        "TOKEN": SECRET,
        "REGION": "eu",
        "MODE": "fast",
        "LITERAL": "$HOME",
    }
    assert (server.startup_s, server.tool_s, server.is_required) == (2.5, 7.0, True)
    assert (server.enabled_tools, server.disabled_tools) == (("read", "list"), ("list",))


def test_an_address_has_its_token_and_its_headers(tmp_path: Path) -> None:
    given = {"HOST": "tools.example", "TOKEN": SECRET, "REGION": "eu"}
    server = one(read(tmp_path, ALL_OF_AN_ADDRESS, **given))
    reached = read_address(server)
    assert reached.url == "https://tools.example/mcp"
    assert reached.headers == {
        "X-Place": "here",
        "X-Region": "eu",
        "Authorization": f"Bearer {SECRET}",
    }
    assert server.startup_s == 1.5


def test_a_json_file_of_other_clients_is_read_too(tmp_path: Path) -> None:
    text = """{"mcpServers": {
      "a": {"type": "stdio", "command": "npx", "args": ["x"], "env": {"K": "${K:-v}"}},
      "b": {"type": "http", "url": "http://127.0.0.1:1/mcp", "headers": {"X-K": "${K:-v}"},
            "timeout": 5000},
      "c": {"command": "x", "disabled": true}}}"""
    first, second, third = read(tmp_path, text, ".mcp.json").servers
    assert read_command(first).env == {"K": "v"}
    assert (read_address(second).headers, second.tool_s) == ({"X-K": "v"}, 5.0)
    assert not third.is_enabled


def test_the_usual_file_is_that_of_codex() -> None:
    assert default_file({"CODEX_HOME": "/x"}) == Path("/x/config.toml")
    assert default_file({}) == Path.home() / ".codex/config.toml"


def test_old_tables_are_read_with_a_remark_and_new_ones_win(tmp_path: Path) -> None:
    text = '[servers.a]\ncommand = "old"\n[servers.b]\ncommand = "b"\n[mcp_servers.a]\nurl = "http://h/mcp"'
    configuration = read(tmp_path, text)
    first, second = configuration.servers
    assert (read_address(first).url, read_command(second).command) == ("http://h/mcp", "b")
    assert "[servers.a] is the old way to write [mcp_servers.a]" in configuration.remarks[0]
    assert "it is not used" in configuration.remarks[0]
    assert "it is not used" not in configuration.remarks[1]


def test_the_first_file_wins_and_the_other_tables_of_codex_are_passed_over(tmp_path: Path) -> None:
    one_file, other = tmp_path / "config.toml", tmp_path / ".mcp.json"
    one_file.write_text('model = "x"\n[tui]\ntheme = "y"\n[mcp_servers.a]\ncommand = "first"')
    other.write_text('{"mcpServers": {"a": {"command": "second"}, "b": {"command": "b"}}}')
    configuration = load_configuration([one_file, other], {})
    assert [read_command(each).command for each in configuration.servers] == ["first", "b"]
    assert "'a' is there already" in configuration.remarks[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('args = ["x"]', "s: there is neither command nor url"),
        ('command = "a"\nurl = "http://h"', "s: there is both command and url"),
        ('url = "http://h"\nenv = { A = "1" }', "s: env is not supported for http"),
        ('command = "a"\nhttp_headers = { A = "1" }', "s: http_headers is not supported for stdio"),
        ('url = "http://h"\nbearer_token = "x"', "s: bearer_token is not supported: put the token"),
        ('url = "nowhere"', "s: an MCP server's url must be such as http://"),
        ('command = ""', "s.command: String should have at least 1 character"),
        ('command = "a"\nargs = "x"', "s.args: Input should be a valid list"),
        ('command = "a"\nstartup_timeout_sec = "1"', "s.startup_timeout_sec: Input should be"),
        ('command = "a"\ntool_timeout_sec = -1', "s.tool_timeout_sec: Input should be greater"),
        ('command = "a"\ntool_timeout_sec = nan', "s.tool_timeout_sec: Input should be"),
        ('command = "a"\nenv = { A = 1 }', "s.env.A: Input should be a valid string"),
        ('command = "a"\n[mcp_servers.s.env]\nenv_vars = ["K"]', "s: env_vars stands in env"),
        ('command = "a"\nenv_vars = [{ name = "K", source = "remote" }]', "s.env_vars.0"),
        ('command = "${NOWHERE}"', "s.command: the variable NOWHERE is not set"),
        ('command = "a"\nargs = ["b", "${EMPTY}"]', "s.args[1]: the variable EMPTY is not set"),
        ('command = "a"\nenv = { K = "${NO}" }', "s.env.K: the variable NO is not set"),
        ('url = "http://${NO}/mcp"', "s.url: the variable NO is not set"),
        ('url = "http://h"\nhttp_headers = { K = "${NO}" }', "s.http_headers.K: the variable NO"),
        (
            'url = "http://h"\nbearer_token_env_var = "NO"',
            "s.bearer_token_env_var: the variable NO",
        ),
        ('url = "http://h"\nenv_http_headers = { K = "NO" }', "s.env_http_headers.K: the variable"),
    ],
)
def test_a_server_that_cannot_be_is_left_out_with_a_reason_and_the_others_stay(
    tmp_path: Path, text: str, problem: str
) -> None:
    whole = f'[mcp_servers.s]\n{text}\n[mcp_servers.well]\ncommand = "true"'
    broken, well = read(tmp_path, whole, EMPTY="").servers
    assert broken.server is None
    assert broken.problem.startswith(problem)
    assert read_command(well).command == "true"


def test_no_complaint_holds_what_stands_in_the_file(tmp_path: Path) -> None:
    text = f'[mcp_servers.s]\nurl = "http://h"\nbearer_token = "{SECRET}"\nenv_vars = "{SECRET}"'
    broken = one(read(tmp_path, text))
    assert SECRET not in broken.problem
    assert SECRET not in repr(one(read(tmp_path, ALL_OF_AN_ADDRESS, HOST="h", TOKEN=SECRET)))


def test_what_was_taken_from_the_environment_is_hidden_wherever_it_shows(tmp_path: Path) -> None:
    configuration = read(tmp_path, ALL_OF_A_COMMAND, FOLDER=SECRET)
    assert configuration.environment.redact(f"cannot open {SECRET}/x") == "cannot open ***/x"


def test_what_the_file_gives_a_server_is_hidden_as_well(tmp_path: Path) -> None:
    text = f"""
[mcp_servers.a]
command = "x"
env = {{ KEY = "{SECRET}1" }}
env_vars = ["KEY_OF_MINE"]
[mcp_servers.b]
url = "http://h"
http_headers = {{ X-Key = "{SECRET}3" }}
"""
    configuration = read(tmp_path, text, KEY_OF_MINE=f"{SECRET}2")
    told = configuration.environment.redact(f"{SECRET}1 {SECRET}2 {SECRET}3 x")
    assert told == "*** *** *** x"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("config.toml", "[mcp_servers.a\n", "is not TOML: .*at line 1"),
        (
            "config.toml",
            '[mcp_servers.a]\ncommand = "x"\n[mcp_servers.a]\n',
            "is not TOML: .*at line 3",
        ),
        ("config.toml", "mcp_servers = 3", "mcp_servers is not a table of servers"),
        (".mcp.json", '{"mcpServers":\n{,}}', r"is not JSON: .*at line 2, column 2"),
        (".mcp.json", "[]", "holds no object"),
        (".mcp.json", '{"mcpServers": {"a": {}, "a": {}}}', "'a' stands there twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_line(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    with pytest.raises(NotConfigured, match=f"{name} {why}|{name}: {why}"):
        read(tmp_path, text, name)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(NotConfigured, match=r"/nowhere/config.toml cannot be read: No such file"):
        load_configuration([Path("/nowhere/config.toml")], {})


def test_keys_that_mean_nothing_are_remarked_on(tmp_path: Path) -> None:
    configuration = read(tmp_path, '[mcp_servers.s]\ncommand = "x"\ncomand_line = "y"')
    assert configuration.remarks[0].endswith("config.toml: s.comand_line is unknown")


def test_names_become_prefixes_that_every_model_takes(tmp_path: Path) -> None:
    names = ("a.b", "a b", "a__b", "_a_", "ü" * 40, "x" * 40)
    text = "".join(f'[mcp_servers."{name}"]\ncommand = "x"\n' for name in names)
    prefixes = [server.prefix for server in read(tmp_path, text).servers]
    # None holds or ends in what divides it from its tool's name, so that no two tools can meet.
    assert prefixes == ["a_b", "a_b_2", "a_b_3", "a", "server", "x" * 32]

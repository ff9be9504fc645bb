"""MCP servers that do not start, talk nonsense, say nothing, or cannot be; what they get to see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent import McpInvoker
from mini_agent.errors import BadRequest, ToolsUnavailable
from mini_agent.mcp.client.server import McpAddress, McpCommand
from mini_agent.messages import function_call
from mini_agent.tools.invoker import ToolOutput, text_output
from tests.tools.conftest import SERVER


async def came_of(tools: McpInvoker, name: str, **arguments: JsonValue) -> ToolOutput:
    return await tools.call_openai_tool(function_call("1", name, arguments))


async def test_a_server_sees_little_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", "s")
    tools = McpInvoker.command(sys.executable, SERVER, env={"GIVEN": "g"})
    async with tools:
        names = (await came_of(tools, "environment")).stdout.split()
    assert "GIVEN" in names
    assert "SOME_SECRET" not in names


async def test_lines_on_stdout_that_are_no_messages_do_no_harm() -> None:
    async with McpInvoker.command(sys.executable, SERVER, "--noise") as tools:
        assert await came_of(tools, "add", a=1, b=2) == text_output("3")


async def test_a_server_that_does_not_start_is_an_error_with_what_it_says() -> None:
    async with McpInvoker.command(sys.executable, SERVER, "--broken") as tools:
        with pytest.raises(ToolsUnavailable, match="cannot read the configuration"):
            await tools.list_openai_tools()
        again = await came_of(tools, "add", a=1, b=2)
        assert "it is tried again in 0." in str(again.error)


@pytest.mark.parametrize("command", ["no-such-command-anywhere", "/etc/passwd", "a\0b"])
async def test_a_command_that_is_none_is_an_error_that_names_it(command: str) -> None:
    async with McpInvoker.command(command) as tools:
        output = await came_of(tools, "add")
    assert str(output.error).startswith(f"the MCP server {command}")


async def test_a_server_that_says_nothing_is_given_up_and_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    program = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    command = McpCommand(sys.executable, ["-c", program])
    async with McpInvoker(command, startup_timeout=3) as tools:
        output = await came_of(tools, "add")
    assert "was not ready within 3 s" in str(output.error)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_an_address_where_nothing_listens_is_an_error_that_names_it() -> None:
    async with McpInvoker.address("http://user:secret@127.0.0.1:9/mcp?key=secret") as tools:
        output = await came_of(tools, "add")
    assert "the MCP server at http://127.0.0.1:9/mcp cannot be used" in str(output.error)
    assert "secret" not in str(output.error)


@pytest.mark.parametrize(
    "make",
    [
        lambda: McpCommand(""),
        lambda: McpCommand("npx", "-y server"),
        lambda: McpAddress("127.0.0.1:8000"),
        lambda: McpInvoker(McpCommand("x"), tool_timeout=0),
        lambda: McpInvoker(McpCommand("x"), startup_timeout=-1),
    ],
)
def test_a_server_that_cannot_be_is_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(BadRequest):
        make()


def test_secrets_are_not_shown() -> None:
    shown = repr(McpCommand("x", (), {"KEY": "secret"})) + repr(
        McpAddress("http://x/mcp", {"Authorization": "secret"})
    )
    assert "secret" not in shown


def test_the_sdk_is_not_loaded_before_it_is_needed() -> None:
    program = (
        "import sys; from mini_agent import McpInvoker; McpInvoker.command('x'); "
        "print([name for name in ('mcp', 'mcp_types', 'httpx2', 'anyio') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=True
    )
    assert ran.stdout == "[]\n"

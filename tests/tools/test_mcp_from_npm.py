"""MCP servers as everybody has them, from npm: an invoker's tools, joined, and in a run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent import (
    AgentConfig,
    ApprovalInvoker,
    CombinedInvoker,
    FilteredInvoker,
    McpInvoker,
    PrefixedInvoker,
    TimeoutInvoker,
)
from mini_agent.mcp.client.server import McpCommand
from mini_agent.messages import JsonObject, function_call
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.invoker import Invoker, ToolOutput, get_tool_name
from mini_agent.tools.outputs import parse_output
from mini_agent_protocol.execution import Output
from tests.agent.checked_run import TASK, run_agent
from tests.tools.conftest import free_port, until_it_listens

LONG = "trigger-long-running-operation"


@pytest.fixture
def everything(from_npm: Path) -> McpCommand:
    return McpCommand(str(from_npm / "mcp-server-everything"), ["stdio"])


@pytest.fixture
def files(from_npm: Path, tmp_path: Path) -> McpCommand:
    (tmp_path / "a.txt").write_text("six times seven is 42")
    return McpCommand(str(from_npm / "mcp-server-filesystem"), [str(tmp_path)])


async def came_of(tools: Invoker, name: str, **arguments: JsonValue) -> ToolOutput:
    return parse_output(await tools.call_openai_tool(function_call("1", name, arguments)))


async def test_the_files_of_a_folder_are_read_and_no_others(
    files: McpCommand, tmp_path: Path
) -> None:
    async with McpInvoker(files) as tools:
        assert len(await tools.list_openai_tools()) >= 10
        read = await came_of(tools, "read_text_file", path=str(tmp_path / "a.txt"))
        denied = await came_of(tools, "read_text_file", path="/etc/passwd")
    assert read.stdout == "six times seven is 42"
    assert "Access denied" in str(denied.error)


async def test_everything_that_the_protocol_has_arrives(everything: McpCommand) -> None:
    told: list[Output] = []
    async with McpInvoker(everything) as tools:
        assert (await came_of(tools, "echo", message="hi")).stdout == "Echo: hi"
        assert "is 42" in (await came_of(tools, "get-sum", a=40, b=2)).stdout
        image = await came_of(tools, "get-tiny-image")
        data = await came_of(tools, "get-structured-content", location="New York")
        wrong = await came_of(tools, "get-sum", a="x")
        steps = function_call("1", LONG, {"duration": 1, "steps": 2})
        await tools.stream_openai_tool(steps, told.append)
    assert [each.media_type for each in image.attachments] == ["image/png"]
    assert "temperature" in data.stdout
    assert not wrong.ok
    assert [piece.text for piece in told] == ["1/2\n", "2/2\n"]


async def test_a_long_operation_is_cut_and_the_server_still_there(everything: McpCommand) -> None:
    async with McpInvoker(everything, tool_timeout=3) as tools:
        cut = await came_of(tools, LONG, duration=30, steps=30)
        after = await came_of(tools, "echo", message="hi")
    assert cut.error == "the call took longer than 3 s and was cancelled"
    assert after.stdout == "Echo: hi"


async def test_two_servers_and_a_run_over_both(
    everything: McpCommand, files: McpCommand, tmp_path: Path
) -> None:
    path = str(tmp_path / "a.txt")
    async with McpInvoker(everything) as one, McpInvoker(files) as two:
        joined = CombinedInvoker(PrefixedInvoker("all", one), PrefixedInvoker("files", two))
        turns = [
            calls_reply(
                scripted_call("files__read_text_file", path=path),
                scripted_call("all__get-sum", a=40, b=2),
            ),
            text_reply("It is 42."),
        ]
        with ScriptedModel(*turns) as model:
            result = await run_agent(TASK, joined, AgentConfig(model="m"), model)
    assert result.final_answer == "It is 42."
    texts = [each.text for each in result.iterations[0].tool_invocations]
    assert ["six times seven" in texts[0], "42" in texts[1]] == [True, True]


async def test_what_stands_in_front_of_a_server_holds(
    everything: McpCommand, files: McpCommand
) -> None:
    asked: list[str] = []

    async def approve(name: str, arguments: JsonObject) -> bool:
        asked.append(f"{name} {arguments}")
        return arguments.get("message") != "no"

    async with McpInvoker(everything) as server:
        some = FilteredInvoker(server, enabled=("echo", LONG))
        tools = ApprovalInvoker(TimeoutInvoker(some, 3), approve)
        assert [get_tool_name(tool) for tool in await tools.list_openai_tools()] == ["echo", LONG]
        outputs = [
            await came_of(tools, "echo", message="yes"),
            await came_of(tools, "echo", message="no"),
            await came_of(tools, "get-env"),
            await came_of(tools, LONG, duration=20, steps=2),
        ]
    assert outputs[0].stdout == "Echo: yes"
    assert [output.error for output in outputs[1:]] == [
        "this call of echo was not approved, so it was not made",
        "the tool 'get-env' is not enabled here",
        "the call took longer than 3 s and was cancelled",
    ]
    assert len(asked) == 4


async def test_over_http_thirty_calls_at_once_are_answered(from_npm: Path) -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        from_npm / "mcp-server-everything",
        "streamableHttp",
        env={"PORT": str(port), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.to_thread(until_it_listens, port)
        async with McpInvoker.address(f"http://127.0.0.1:{port}/mcp") as tools:
            echoes = (came_of(tools, "echo", message=str(n)) for n in range(30))
            outputs = await asyncio.gather(*echoes)
    finally:
        server.kill()
        await server.wait()
    assert [output.stdout for output in outputs] == [f"Echo: {n}" for n in range(30)]

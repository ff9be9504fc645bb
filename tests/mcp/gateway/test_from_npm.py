"""The gateway over the servers that everybody has, from npm."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest

from mini_agent import AgentConfig, McpInvoker
from mini_agent.messages import function_call
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.outputs import parse_output
from tests.agent.checked_run import TASK, run_agent
from tests.mcp.gateway.conftest import (
    children,
    count_done,
    gateway_over,
    invoke,
    names,
    statuses,
    until,
)

LONG = "all__trigger-long-running-operation"


@pytest.fixture
def servers(from_npm: Path, tmp_path: Path) -> str:
    """Both of them, with a folder of one file."""
    (tmp_path / "a.txt").write_text("six times seven is 42")
    return f"""
[mcp_servers.all]
command = "{from_npm}/mcp-server-everything"
args = ["stdio"]
tool_timeout_sec = 2

[mcp_servers.files]
command = "{from_npm}/mcp-server-filesystem"
args = ["{tmp_path}"]
enabled_tools = ["read_text_file", "list_directory"]
"""


async def test_they_are_listed_filtered_and_called(servers: str, tmp_path: Path) -> None:
    async with gateway_over(tmp_path, servers) as client:
        listed = await names(client)
        read = await invoke(client, "files__read_text_file", path=str(tmp_path / "a.txt"))
        denied = await invoke(client, "files__read_text_file", path="/etc/passwd")
        image = await invoke(client, "get-tiny-image")
        data = await invoke(client, "get-structured-content", location="New York")
    assert [name for name in listed if name.startswith("files__")] == [
        "files__read_text_file",
        "files__list_directory",
    ]
    assert read["text"] == "six times seven is 42"
    assert "Access denied" in str(denied["error"])
    assert isinstance(image["attachments"], list)
    assert image["attachments"][0]["media_type"] == "image/png"
    assert isinstance(data["data"], dict)
    assert "temperature" in data["data"]


async def test_a_long_operation_is_cut_and_one_whose_caller_leaves_as_well(
    servers: str, tmp_path: Path
) -> None:
    long = {"name": LONG, "arguments": {"duration": 30, "steps": 30}}
    async with gateway_over(tmp_path, servers) as client:
        await names(client)
        cut = await client.post("/invoke", json=long)
        with pytest.raises(httpx.ReadTimeout):
            await client.post("/invoke", json=long, timeout=httpx.Timeout(60, read=0.5))
        assert (await invoke(client, "all__echo", message="hi"))["text"] == "Echo: hi"
    assert (cut.status_code, cut.json()["error"]["code"]) == (504, "tool_timeout")


async def test_killed_servers_come_back_and_none_is_left(servers: str, tmp_path: Path) -> None:
    before = children()
    async with gateway_over(tmp_path, servers) as client:
        await names(client)
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)

        # A call that meets the end of its server is told so, and not made again.
        async def answers() -> bool:
            return "text" in await invoke(client, "all__echo", message="hi")

        async def are_back() -> bool:
            return all(each["state"] == "running" for each in (await statuses(client)).values())

        await until(answers)
        await until(are_back)
        path = str(tmp_path / "a.txt")
        assert "42" in str(await invoke(client, "files__read_text_file", path=path))
    assert children() - before == set()


async def test_a_run_over_both_through_the_gateways_own_mcp_server(
    servers: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "a.txt")
    async with gateway_over(tmp_path, servers) as client:
        await names(client)
        async with McpInvoker.address(f"{client.base_url}/mcp") as tools:
            image = await tools.call_openai_tool(function_call("1", "all__get-tiny-image", {}))
            together = (
                scripted_call("files__read_text_file", path=path),
                scripted_call("all__get-sum", a=40, b=2),
            )
            turns = [calls_reply(*together), text_reply("It is 42.")]
            with ScriptedModel(*turns) as model:
                result = await run_agent(TASK, tools, AgentConfig(model="m"), model)
    assert [each.media_type for each in parse_output(image).attachments] == ["image/png"]
    assert result.final_answer == "It is 42."
    texts = [each.text for each in result.iterations[0].tool_invocations]
    assert ["six times seven" in texts[0], "42" in texts[1]] == [True, True]


async def test_fifty_calls_over_five_servers_are_answered_while_one_of_them_hangs(
    from_npm: Path, tmp_path: Path
) -> None:
    text = "".join(
        f'[mcp_servers.s{n}]\ncommand = "{from_npm}/mcp-server-everything"\nargs = ["stdio"]\n'
        for n in range(5)
    )
    before = children()
    async with gateway_over(tmp_path, text) as client:
        await names(client)
        hung = min(children() - before)
        os.kill(hung, signal.SIGSTOP)
        echoes = (invoke(client, f"s{n % 5}__echo", message=str(n)) for n in range(50))
        calls_ = [asyncio.create_task(each) for each in echoes]
        assert await count_done(calls_, 40) == 40
        os.kill(hung, signal.SIGCONT)
        said = await asyncio.gather(*calls_)
    assert [each["text"] for each in said] == [f"Echo: {n}" for n in range(50)]
    assert children() - before == set()

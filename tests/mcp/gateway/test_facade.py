"""The gateway's catalog as one MCP server, and what stands in front of it in a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from mcp import Client, MCPError
from mcp.types import CallToolResult, ImageContent, TextContent

from mini_agent import AgentConfig, HttpToolsInvoker, McpInvoker
from mini_agent.messages import function_call
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.outputs import parse_output
from tests.agent.checked_run import TASK, run_agent
from tests.mcp.gateway.conftest import gateway_over, ours
from tests.mcp.sandbox_server.conftest import ConnectMode
from tests.tools.conftest import Notes


def text_of(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if isinstance(block, TextContent))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_everything_passes_as_the_servers_give_it(tmp_path: Path, mode: ConnectMode) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with (
        gateway_over(tmp_path, ours("one") + ours("two")) as http,
        Client(f"{http.base_url}/mcp", mode=mode) as client,
    ):
        await http.get("/tools")
        listed = [tool.name for tool in (await client.list_tools()).tools]
        added = await client.call_tool("one__add", {"a": 40, "b": 2})
        drawn = await client.call_tool("two__draw", {})
        data = await client.call_tool("two__weather", {"city": "Oslo"})
        failed = await client.call_tool("one__fail", {})
        await client.call_tool("one__slow", {"seconds": 0.1}, progress_callback=heard)
        with pytest.raises(MCPError, match="there is no tool 'x'"):
            await client.call_tool("x", {})
    assert {"one__add", "two__add"} <= set(listed)
    assert text_of(added) == "42"
    assert isinstance(drawn.content[0], ImageContent)
    assert data.structured_content == {"city": "Oslo", "degrees": 21}
    assert failed.is_error
    assert told[0] == (1.0, 4.0, "step 1")


async def test_a_call_that_is_cut_is_an_error_the_model_can_read(
    tmp_path: Path, notes: Notes
) -> None:
    text = ours("one", notes=notes.path, tool_timeout_sec=2)
    async with gateway_over(tmp_path, text) as http, Client(f"{http.base_url}/mcp") as client:
        cut = await client.call_tool("one__slow", {"seconds": 60})
    assert cut.is_error
    assert "took longer than 2 s" in text_of(cut)
    await notes.until("slow cancelled")


async def test_our_own_invokers_find_the_same_behind_both_doors(tmp_path: Path) -> None:
    async with gateway_over(tmp_path, ours("one")) as http:
        url = str(http.base_url)
        draw = function_call("1", "one__draw", {})
        async with HttpToolsInvoker(url) as plain, McpInvoker.address(f"{url}/mcp") as mcp:
            outputs = [parse_output(await each.call_openai_tool(draw)) for each in (plain, mcp)]
            listed = [await each.list_openai_tools() for each in (plain, mcp)]
    assert listed[0] == listed[1]
    assert outputs[0].attachments == outputs[1].attachments
    assert [each.media_type for each in outputs[0].attachments] == ["image/png"]


async def test_a_run_calls_tools_through_the_gateway(tmp_path: Path) -> None:
    async with (
        gateway_over(tmp_path, ours("one")) as http,
        HttpToolsInvoker(str(http.base_url)) as tools,
    ):
        turns = [calls_reply(scripted_call("one__add", a=40, b=2)), text_reply("It is 42.")]
        with ScriptedModel(*turns) as model:
            result = await run_agent(TASK, tools, AgentConfig(model="m"), model)
    assert result.final_answer == "It is 42."
    assert "42" in result.iterations[0].tool_invocations[0].text

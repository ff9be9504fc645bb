"""Runs whose tools come from servers of npm: by themselves, and through the gateway every way."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from mini_agent import (
    AgentConfig,
    ApprovalInvoker,
    CombinedInvoker,
    HttpToolsInvoker,
    McpInvoker,
    PrefixedInvoker,
)
from mini_agent.mcp.client.server import McpCommand
from mini_agent.mcp.gateway.configuration import load_configuration
from mini_agent.mcp.gateway.run_servers import open_run_tools
from mini_agent.messages import JsonObject
from mini_agent.model import ModelReply, ToolCall
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.invoker import Invoker
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.agent.checked_run import TASK, run_agent
from tests.mcp.gateway.conftest import children, gateway_over, ours
from tests.shim.scripted import ScriptedModel as ShimModel
from tests.shim.serving import serve_app
from tests.tools.conftest import Notes

CUT_S = 2.0
Way = Callable[[Path, Path], AbstractAsyncContextManager[Invoker]]


def written(npm: Path, folder: Path) -> str:
    (folder / "a.txt").write_text("six times seven is 42")
    return (
        f'[mcp_servers.all]\ncommand = "{npm}/mcp-server-everything"\nargs = ["stdio"]\n'
        f"tool_timeout_sec = {CUT_S}\n"
        f'[mcp_servers.files]\ncommand = "{npm}/mcp-server-filesystem"\nargs = ["{folder}"]\n'
    )


@asynccontextmanager
async def by_themselves(npm: Path, folder: Path) -> AsyncIterator[Invoker]:
    written(npm, folder)
    everything = McpCommand(f"{npm}/mcp-server-everything", ["stdio"])
    files = McpCommand(f"{npm}/mcp-server-filesystem", [str(folder)])
    async with McpInvoker(everything, tool_timeout=CUT_S) as first, McpInvoker(files) as second:
        yield CombinedInvoker(PrefixedInvoker("all", first), PrefixedInvoker("files", second))


@asynccontextmanager
async def over_http(npm: Path, folder: Path) -> AsyncIterator[Invoker]:
    async with (
        gateway_over(folder, written(npm, folder)) as client,
        HttpToolsInvoker(str(client.base_url)) as tools,
    ):
        yield tools


@asynccontextmanager
async def over_mcp(npm: Path, folder: Path) -> AsyncIterator[Invoker]:
    async with (
        gateway_over(folder, written(npm, folder)) as client,
        McpInvoker.address(f"{client.base_url}/mcp") as tools,
    ):
        yield tools


@asynccontextmanager
async def without_http(npm: Path, folder: Path) -> AsyncIterator[Invoker]:
    path = folder / "config.toml"
    path.write_text(written(npm, folder))
    async with open_run_tools(load_configuration([path], os.environ)) as tools:
        yield tools


WAYS = pytest.mark.parametrize("way", [by_themselves, over_http, over_mcp, without_http])


@WAYS
async def test_a_run_reads_sums_draws_gets_data_and_outlives_what_takes_too_long(
    way: Way, from_npm: Path, tmp_path: Path
) -> None:
    path = str(tmp_path / "a.txt")
    turns = [
        calls_reply(
            scripted_call("files__read_text_file", path=path),
            scripted_call("all__get-sum", a=40, b=2),
        ),
        calls_reply(scripted_call("all__get-tiny-image")),
        calls_reply(scripted_call("all__get-structured-content", location="New York")),
        calls_reply(scripted_call("all__trigger-long-running-operation", duration=30, steps=30)),
        calls_reply(scripted_call("all__echo", message="still there")),
        text_reply("It is 42."),
    ]
    before = children()
    async with way(from_npm, tmp_path) as tools:
        with ScriptedModel(*turns) as model:
            result = await run_agent(TASK, tools, AgentConfig(model="m"), model)
    assert (result.final_answer, result.stopped_reason) == ("It is 42.", "success")
    (read, added), (image,), (data,), (cut,), (echo,), () = (
        turn.tool_invocations for turn in result.iterations
    )
    assert ["six times seven" in read.text, "42" in added.text] == [True, True]
    assert [each.media_type for each in image.attachments] == ["image/png"]
    assert "temperature" in data.text
    assert not cut.ok
    assert "took longer than 2 s" in cut.text
    assert "Echo: still there" in echo.text
    assert children() - before == set()


@WAYS
async def test_a_run_goes_on_after_its_servers_were_killed(
    way: Way, from_npm: Path, tmp_path: Path
) -> None:
    before = children()

    async def approve(name: str, arguments: JsonObject) -> bool:
        del name
        if arguments["message"] == "2":
            for pid in children() - before:
                os.kill(pid, signal.SIGKILL)
        # A server that has just died may be given a second before it is started again.
        await asyncio.sleep(1.5 if arguments["message"] in ("3", "4") else 0)
        return True

    turns = [calls_reply(scripted_call("all__echo", message=str(n))) for n in range(1, 5)]
    async with way(from_npm, tmp_path) as tools:
        with ScriptedModel(*turns, text_reply("Done.")) as model:
            asked = ApprovalInvoker(tools, approve)
            result = await run_agent(TASK, asked, AgentConfig(model="m"), model)
    texts = [each.text for turn in result.iterations for each in turn.tool_invocations]
    assert "Echo: 1" in texts[0]
    assert "Echo: 4" in texts[3]
    assert result.stopped_reason == "success"
    assert children() - before == set()


async def test_hanging_up_on_the_shim_cancels_the_call_at_the_server_behind_the_gateway(
    tmp_path: Path, notes: Notes
) -> None:
    slow = ToolCall("1", "one__slow", '{"seconds": 60}')
    model = ShimModel([ModelReply(tool_calls=(slow,))])
    async with gateway_over(tmp_path, ours("one", notes=notes.path)) as client:
        body = {
            "messages": TASK,
            "model": "a/b",
            "tool_backend": "http",
            "tool_http_base_url": str(client.base_url),
        }
        with serve_app(create_app(ShimSettings(), model=model)) as url:
            async with httpx.AsyncClient(base_url=url, trust_env=False) as caller:
                call = asyncio.create_task(caller.post("/agent/run", json=body, timeout=60))
                await notes.until("slow began")
                call.cancel()
                await notes.until("slow cancelled")
    assert notes.text().count("slow began") == 1

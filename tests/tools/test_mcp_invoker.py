"""The tools of an MCP server, ours, as a child process and over HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent import AgentConfig, McpInvoker, arun_mcp_mini_agent, run_mcp_mini_agent
from mini_agent.mcp.client.server import McpCommand
from mini_agent.messages import function_call, user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.invoker import ToolOutput, get_tool_name, text_output
from mini_agent_protocol.execution import Output
from tests.agent.checked_run import wait_until
from tests.tools.conftest import SERVER, Notes


async def came_of(tools: McpInvoker, name: str, **arguments: JsonValue) -> ToolOutput:
    return await tools.call_openai_tool(function_call("1", name, arguments))


async def test_the_tools_are_the_servers_with_their_schemas(here: McpInvoker) -> None:
    tools = {get_tool_name(tool): tool for tool in await here.list_openai_tools()}
    assert {"add", "draw", "slow"} <= tools.keys()
    function = tools["add"]["function"]
    assert isinstance(function, dict)
    assert function["description"] == "Add two numbers."
    parameters = function["parameters"]
    assert isinstance(parameters, dict)
    assert parameters["required"] == ["a", "b"]


async def test_a_call_reaches_the_server_once(here: McpInvoker, notes: Notes) -> None:
    assert await came_of(here, "add", a=1, b=2) == text_output("3")
    assert notes.text().count("add 1 2") == 1


async def test_data_is_told_once_where_the_text_says_the_same(here: McpInvoker) -> None:
    output = await came_of(here, "weather", city="Paris")
    assert output.stdout.count("Paris") == 1
    assert output.stdout.count("21") == 1


async def test_an_image_is_carried_and_told_of(here: McpInvoker) -> None:
    output = await came_of(here, "draw")
    assert output.stdout == "(attached: image-1, image/png, 68 bytes)"
    (image,) = output.attachments
    assert (image.media_type, image.bytes) == ("image/png", 68)
    assert image.base64.startswith("iVBORw0KGgo")


async def test_links_texts_and_bytes_of_resources_are_carried(here: McpInvoker) -> None:
    output = await came_of(here, "resources")
    assert output.stdout == (
        "see:\n"
        "(log: file:///log, text/plain)\n"
        "file:///a.txt:\nhello\n"
        "(attached: file:///b.bin, application/octet-stream, 3 bytes)"
    )
    assert [each.base64 for each in output.attachments] == ["AAEC"]


async def test_no_base64_is_in_the_text_and_texts_sent_as_bytes_are(here: McpInvoker) -> None:
    output = await came_of(here, "encoded")
    assert output.stdout == (
        "raw (1026 bytes in base64 were left out) end\n"
        "![plot]((attached: data-1, image/png, 1024 bytes))\n"
        "file:///n.txt:\ngrüße\n"
        "(attached: audio-2, audio/wav, 1024 bytes)\n"
        'data: {"image": "(1026 bytes in base64 were left out)", "title": "plot"}'
    )
    assert [each.media_type for each in output.attachments] == ["image/png", "audio/wav"]


@pytest.mark.parametrize("name", ["files_read_all_pages", "files.read/all pages"])
async def test_a_tool_is_called_by_its_listed_name_and_by_its_own(
    here: McpInvoker, name: str
) -> None:
    assert await came_of(here, name, pages=[1]) == text_output("pages [1]")


async def test_a_run_calls_tools_by_the_names_that_the_server_knows() -> None:
    reply = calls_reply(scripted_call("files_read_all_pages", pages="[1, 2]"))
    async with McpInvoker.command(sys.executable, SERVER) as tools:
        with ScriptedModel(reply, text_reply("done")) as model:
            cfg = AgentConfig(model="m")
            result = await arun_mcp_mini_agent([user("read")], tools, cfg, model=model)
    (call,) = result.iterations[0].tool_invocations
    assert (call.name, call.arguments) == ("files_read_all_pages", {"pages": [1, 2]})
    assert call.stdout == "pages [1, 2]"


@pytest.mark.parametrize(
    ("name", "why"), [("mismatch", "'unknown' is not"), ("no_data", "did not")]
)
async def test_a_result_that_breaks_its_schema_is_told_as_carried_out(name: str, why: str) -> None:
    server = Path(SERVER).with_name("mcp_server_careless.py")
    async with McpInvoker.command(sys.executable, str(server)) as tools:
        output = await came_of(tools, name)
    assert output.ok
    assert output.stdout.startswith("deleted by ")
    assert "the call was carried out" in output.note
    assert why in output.note


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("fail", {}, "fail"),
        ("nowhere", {}, "nowhere"),
        ("add", {"a": "x", "b": 1}, "valid integer"),
        ("add", {}, "required"),
    ],
)
async def test_what_the_server_calls_an_error_is_one(
    here: McpInvoker, name: str, arguments: dict[str, JsonValue], said: str
) -> None:
    output = await came_of(here, name, **arguments)
    assert (output.ok, output.rc) == (False, None)
    assert said in str(output.error)


async def test_progress_is_told_as_it_comes(here: McpInvoker) -> None:
    told: list[Output] = []
    slow = function_call("1", "slow", {"seconds": 0.2})
    assert await here.stream_openai_tool(slow, told.append) == text_output("done")
    assert [piece.text for piece in told][:2] == ["1/4: step 1\n", "2/4: step 2\n"]


async def test_calls_run_side_by_side(here: McpInvoker) -> None:
    await here.list_openai_tools()
    began = time.monotonic()
    outputs = await asyncio.gather(*(came_of(here, "slow", seconds=2) for _ in range(10)))
    assert time.monotonic() - began < 15
    assert outputs == [text_output("done")] * 10


async def test_a_call_that_takes_too_long_is_cancelled_at_the_server(notes: Notes) -> None:
    command = McpCommand(sys.executable, [SERVER], {"MCP_TEST_NOTES": notes.path})
    async with McpInvoker(command, tool_timeout=3) as tools:
        await tools.list_openai_tools()
        output = await came_of(tools, "slow", seconds=60)
        await notes.until("slow cancelled")
        assert await came_of(tools, "add", a=1, b=2) == text_output("3")
    assert output.error == "the call took longer than 3 s and was cancelled"
    assert len(notes.started) == 1


async def test_who_stops_waiting_cancels_the_call_at_the_server(
    here: McpInvoker, notes: Notes
) -> None:
    waiting = asyncio.create_task(came_of(here, "slow", seconds=60))
    await notes.until("slow began")
    waiting.cancel()
    await notes.until("slow cancelled")
    assert waiting.cancelled()


async def test_a_server_that_is_killed_during_a_call_ends_it_and_the_next_starts_another(
    here: McpInvoker, notes: Notes
) -> None:
    waiting = asyncio.create_task(came_of(here, "slow", seconds=60))
    await notes.until("slow began")
    os.kill(notes.started[0], signal.SIGKILL)
    async with asyncio.timeout(30):
        output = await waiting
    assert "is gone, and whether the call was carried out is not known" in str(output.error)
    assert await came_of(here, "add", a=1, b=2) == text_output("3")
    assert len(notes.started) == 2


async def test_a_server_that_died_while_nobody_called_is_not_noticed_by_the_next_call(
    here: McpInvoker, notes: Notes
) -> None:
    await here.list_openai_tools()
    os.kill(notes.started[0], signal.SIGKILL)
    await wait_until(lambda: not Path(f"/proc/{notes.started[0]}").exists())
    await asyncio.sleep(0.3)
    assert await came_of(here, "add", a=1, b=2) == text_output("3")


async def test_a_server_that_ends_itself_is_gone(here: McpInvoker) -> None:
    assert "is gone" in str((await came_of(here, "die")).error)


async def test_nothing_is_left_of_a_server_when_the_block_is_left(notes: Notes) -> None:
    env = {"MCP_TEST_NOTES": notes.path}
    async with McpInvoker.command(sys.executable, SERVER, env=env) as tools:
        await tools.list_openai_tools()
        waiting = asyncio.create_task(came_of(tools, "slow", seconds=60))
        await notes.until("slow began")
    await waiting
    with pytest.raises(ProcessLookupError):
        os.kill(notes.started[0], 0)


async def test_ten_megabytes_arrive(here: McpInvoker) -> None:
    output = await came_of(here, "long", characters=10_000_000)
    assert output.stdout.endswith("the end")


async def test_over_http_it_is_the_same(served_over_http: str, notes: Notes) -> None:
    async with McpInvoker.address(served_over_http) as tools:
        assert len(await tools.list_openai_tools()) == 11
        assert await came_of(tools, "add", a=1, b=2) == text_output("3")
        assert (await came_of(tools, "draw")).attachments[0].media_type == "image/png"
        waiting = asyncio.create_task(came_of(tools, "slow", seconds=60))
        await notes.until("slow began")
        waiting.cancel()
        await notes.until("slow cancelled")


def test_plain_code_keeps_the_server_from_run_to_run(notes: Notes) -> None:
    tools = McpInvoker.command(sys.executable, SERVER, env={"MCP_TEST_NOTES": notes.path})
    for _ in range(2):
        with ScriptedModel(
            calls_reply(scripted_call("add", a=40, b=2)), text_reply("It is 42.")
        ) as model:
            result = run_mcp_mini_agent([user("?")], tools, AgentConfig(model="m"), model=model)
        assert result.final_answer == "It is 42."
    assert len(notes.started) == 1
    asyncio.run(tools.aclose())


def test_an_image_reaches_the_result_of_a_run() -> None:
    tools = McpInvoker.command(sys.executable, SERVER)
    with ScriptedModel(calls_reply(scripted_call("draw")), text_reply("A dot.")) as model:
        result = run_mcp_mini_agent([user("?")], tools, AgentConfig(model="m"), model=model)
    assert result.last_tool_invocation is not None
    assert result.last_tool_invocation.attachments[0].media_type == "image/png"


def test_a_program_that_forgets_to_close_it_leaves_no_server_behind(notes: Notes) -> None:
    program = f"""
from mini_agent import AgentConfig, McpInvoker, run_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
tools = McpInvoker.command({sys.executable!r}, {SERVER!r}, env={{"MCP_TEST_NOTES": {notes.path!r}}})
model = ScriptedModel(
    calls_reply(scripted_call("add", a=40, b=2)), text_reply("It is 42.")
)
print(run_mcp_mini_agent([user("?")], tools, AgentConfig(model="m"), model=model).final_answer)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=True
    )
    assert (ran.stdout, ran.stderr) == ("It is 42.\n", "")
    with pytest.raises(ProcessLookupError):
        os.kill(notes.started[0], 0)

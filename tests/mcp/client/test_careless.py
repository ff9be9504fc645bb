"""A child process that answers carelessly: what is wrong costs its own call, or its own tool."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from mini_agent import AgentConfig, McpInvoker
from mini_agent.messages import function_call
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.invoker import get_tool_name
from mini_agent.tools.outputs import parse_output
from tests.agent.checked_run import TASK, run_agent
from tests.mcp.client import careless_server
from tests.mcp.gateway.conftest import gateway_over, invoke, names, statuses, until

SERVER = careless_server.__file__


@pytest.fixture
async def tools() -> AsyncIterator[McpInvoker]:
    async with McpInvoker.command(sys.executable, SERVER, env={"PYTHONUTF8": "1"}) as invoker:
        yield invoker


async def call(tools: McpInvoker, name: str, arguments: dict[str, JsonValue] | None = None) -> str:
    async with asyncio.timeout(10):
        said = await tools.call_openai_tool(function_call("1", name, arguments or {}))
    output = parse_output(said)
    return output.error or output.stdout


async def test_a_malformed_tool_costs_itself_alone(tools: McpInvoker) -> None:
    listed = [get_tool_name(tool) for tool in await tools.list_openai_tools()]
    assert listed[:5] == ["good", "no_schema", "null_schema", "typeless", "odd_output"]
    assert listed[6].startswith("said")
    remark = "its malformed tools are left out: 'bad schema', number 3, number 4"
    assert tools.remark() == remark


@pytest.mark.parametrize("name", ["cut", "quotes", "no_id", "null"])
async def test_an_unreadable_line_is_an_error_of_its_call_at_once(
    tools: McpInvoker, name: str
) -> None:
    assert "it answers with something that is no result" in await call(tools, name)
    assert await call(tools, "good") == "{}"


async def test_lone_surrogates_of_an_answer_are_replaced(tools: McpInvoker) -> None:
    assert await call(tools, "surrogate") == "half \ufffd, \U0001f600, \\ud83d"
    assert await call(tools, "mark") == ""


async def test_lone_surrogates_of_a_call_end_no_other_call(tools: McpInvoker) -> None:
    slow = asyncio.create_task(call(tools, "slow", {"n": 1}))
    await asyncio.sleep(0.2)
    odd: dict[str, JsonValue] = {"a\ud83d": ["\udc00", {"b": "x\ud800"}]}
    assert await call(tools, "good", odd) == '{"a?": ["?", {"b": "x?"}]}'
    assert await call(tools, "go\ud83dod") == "{}"
    assert await slow == '{"n": 1}'


async def test_noise_is_one_line(tools: McpInvoker) -> None:
    for _ in range(3):
        await call(tools, "noise")
    assert tools.remark().startswith(
        "it prints on standard output what is no message: 'log: a'; its malformed tools"
    )


async def test_the_gateway_lists_what_has_changed_and_says_what_is_wrong(tmp_path: Path) -> None:
    text = f'[mcp_servers.s]\ncommand = "{sys.executable}"\nargs = ["{SERVER}"]'
    async with gateway_over(tmp_path, text) as client:
        assert "s__grown" not in await names(client)
        assert "malformed" in str((await statuses(client))["s"]["error"])
        assert "text" in await invoke(client, "s__grow")

        async def has_grown() -> bool:
            return "s__grown" in await names(client)

        # The pause between two checks is longer.
        await until(has_grown, 8)


@pytest.mark.parametrize(
    "body",
    [
        rb'{"name": "s__good", "arguments": {"a": "\ud83d"}}',
        rb'{"name": "s__good", "arguments": {"\udc00": [1]}}',
        rb'{"name": "s__good", "arguments": "{\"a\": \"\\ud83d\"}"}',
        rb'{"name": "s__go\ud83d"}',
    ],
)
async def test_lone_surrogates_at_the_gateways_door_cost_no_other(
    tmp_path: Path, body: bytes
) -> None:
    text = f'[mcp_servers.s]\ncommand = "{sys.executable}"\nargs = ["{SERVER}"]'
    async with gateway_over(tmp_path, text) as client:
        await names(client)
        answered = await client.post(
            "/invoke", content=body, headers={"Content-Type": "application/json"}
        )
        assert answered.status_code == (404 if b"go\\u" in body else 200)
        assert (await invoke(client, "s__good"))["text"] == "{}"


async def test_a_run_is_offered_the_tools_that_a_server_gets_meanwhile(tools: McpInvoker) -> None:
    turns = [
        calls_reply(scripted_call("grow")),
        calls_reply(scripted_call("grown", n=1)),
        text_reply("Done."),
    ]
    with ScriptedModel(*turns) as model:
        result = await run_agent(TASK, tools, AgentConfig(model="m"), model)
    assert result.iterations[1].tool_invocations[0].text.endswith('{"n": 1}')

"""The echo tool."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.invoker import ToolOutput, printed, refused


@pytest.mark.parametrize(
    ("function", "output"),
    [
        ({"name": "echo", "arguments": '{"text": "hi"}'}, printed("hi")),
        ({"name": "echo", "arguments": {"text": "hi"}}, printed("hi")),
        ({"name": "echo", "arguments": "{}"}, refused("the argument text is missing")),
        ({"name": "shout"}, refused("there is no tool 'shout'; the only tool is echo")),
        ({}, refused("the call names no tool")),
        (None, refused("the call names no tool")),
    ],
)
async def test_echo_gives_text_back(function: JsonValue, output: ToolOutput) -> None:
    assert await EchoMCP().call_openai_tool({"function": function}) == output

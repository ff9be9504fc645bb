"""The echo tool."""

from __future__ import annotations

import pytest
from pydantic import JsonValue

from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.invoker import ToolOutput, error_output, text_output


@pytest.mark.parametrize(
    ("function", "output"),
    [
        ({"name": "echo", "arguments": '{"text": "hi"}'}, text_output("hi")),
        ({"name": "echo", "arguments": {"text": "hi"}}, text_output("hi")),
        ({"name": "echo", "arguments": "{}"}, error_output("the argument text is missing")),
        ({"name": "shout"}, error_output("there is no tool 'shout'; the only tool is echo")),
        ({}, error_output("the call names no tool")),
        (None, error_output("the call names no tool")),
    ],
)
async def test_echo_gives_text_back(function: JsonValue, output: ToolOutput) -> None:
    assert await EchoMCP().call_openai_tool({"function": function}) == output

"""The arguments of a call: written once for others, parsed by ours only where they must be."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest

from mini_agent.messages import JsonObject, function_call
from mini_agent.tools.arguments import (
    ParsedArguments,
    RejectedCall,
    build_tool_call,
    parse_tool_call,
)
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.invoker import OpenAIToolCall, ToolOutput, rename_tool
from mini_agent.tools.outputs import parse_output
from mini_agent.tools.wrappers import ApprovalInvoker

GIVEN: JsonObject = {"text": "grün", "more": [1, 2.5, None, {"a": True}]}
ASKED = ParsedArguments("echo", GIVEN)


class Keeps(EchoMCP):
    """Keeps the calls that it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[OpenAIToolCall] = []

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        self.calls.append(openai_tool)
        return await super().call_openai_tool(openai_tool)


def test_the_call_is_the_same_on_the_wire_as_any_other() -> None:
    call = build_tool_call("1", ASKED)
    assert call == function_call("1", *ASKED)
    assert json.dumps(call) == json.dumps(function_call("1", *ASKED))


def test_ours_get_what_the_call_was_written_from_and_parse_nothing() -> None:
    call = build_tool_call("1", ASKED)
    assert parse_tool_call(call).arguments is GIVEN
    assert parse_tool_call(rename_tool(call, "other")) == ParsedArguments("other", GIVEN)
    assert parse_tool_call(rename_tool(call, "other")).arguments is GIVEN


def test_a_copied_call_is_still_not_parsed() -> None:
    copied = parse_tool_call(deepcopy(build_tool_call("1", ASKED))).arguments
    assert copied == GIVEN
    assert copied is not GIVEN


def test_a_text_that_no_server_takes_is_mended() -> None:
    call = parse_tool_call(build_tool_call("1", ParsedArguments("echo", {"text": "\ud800x"})))
    assert call.arguments == {"text": "?x"}


def test_another_text_in_its_place_is_what_counts() -> None:
    call = build_tool_call("1", ASKED)
    function = call["function"]
    assert isinstance(function, dict)
    changed: OpenAIToolCall = {**call, "function": {**function, "arguments": '{"text": "b"}'}}
    assert parse_tool_call(changed).arguments == {"text": "b"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_json_is_refused_as_before(value: float) -> None:
    with pytest.raises(RejectedCall, match="not a JSON object"):
        parse_tool_call(build_tool_call("1", ParsedArguments("echo", {"text": value})))


async def test_who_approves_a_call_cannot_change_it_on_the_way() -> None:
    keeps = Keeps()

    async def meddles(_name: str, arguments: JsonObject) -> bool:
        arguments["text"] = "other"
        return True

    output = parse_output(
        await ApprovalInvoker(keeps, meddles).call_openai_tool(build_tool_call("1", ASKED))
    )
    assert "grün" in output.stdout
    assert parse_tool_call(keeps.calls[0]) == ASKED

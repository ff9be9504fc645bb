"""Tools of the caller: offered beside those of the run, and handed back instead of executed."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from mini_agent.agent.loop import run_agent
from mini_agent.config import AgentConfig
from mini_agent.messages import JsonObject, user
from mini_agent.model import ModelReply
from mini_agent.result import AgentResult
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.catalog import EchoMCP

WEATHER: JsonObject = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
ECHO: JsonObject = {"type": "function", "function": {"name": "echo", "parameters": {}}}
ASKS_WEATHER = scripted_call("get_weather", city="Oslo")


async def run(
    *turns: ModelReply, tools: tuple[JsonObject, ...] = (WEATHER,)
) -> tuple[AgentResult, ScriptedModel]:
    config = AgentConfig(model="m", client_tools=tools)
    with ScriptedModel(*turns) as model:
        return await run_agent([user("Go.")], EchoMCP(), config, model), model


async def test_it_is_offered_and_its_call_ends_the_run() -> None:
    result, model = await run(calls_reply(ASKS_WEATHER, text="Let me look."))
    assert list(parse_tools(model.requests[0].tools)) == ["echo", "get_weather"]
    assert (result.stopped_reason, result.finish_reason) == ("tool_calls", "tool_calls")
    (call,) = result.tool_calls
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    assert (result.final_answer, result.answer_source) == ("Let me look.", "model")
    assert result.messages[-1]["role"] == "assistant"


async def test_without_words_the_answer_says_what_the_run_waits_for() -> None:
    result, _ = await run(calls_reply(ASKS_WEATHER))
    assert result.final_answer == "The run waits for the result of get_weather."
    assert result.answer_source == "notice"


async def test_tools_of_the_run_in_the_same_turn_are_executed() -> None:
    result, _ = await run(calls_reply(scripted_call("echo", text="hi"), ASKS_WEATHER))
    assert [call.name for call in result.iterations[0].tool_invocations] == ["echo"]
    assert result.final_answer == "echo printed:\nhi"
    assert [call["function"] for call in result.tool_calls] == [
        {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    ]
    assert result.messages[-1]["role"] == "tool"


async def test_of_two_tools_with_one_name_it_is_the_callers() -> None:
    result, _ = await run(calls_reply(scripted_call("echo", text="hi")), tools=(ECHO,))
    assert result.stopped_reason == "tool_calls"


async def test_a_run_goes_on_from_the_conversation() -> None:
    paused, _ = await run(calls_reply(ASKS_WEATHER))
    (call,) = paused.tool_calls
    answered = {"role": "tool", "tool_call_id": call["id"], "content": "4 degrees"}
    config = AgentConfig(model="m", client_tools=(WEATHER,))
    with ScriptedModel(text_reply("It is 4 degrees in Oslo.")) as model:
        result = await run_agent([*paused.messages, answered], EchoMCP(), config, model)
    assert (result.final_answer, result.stopped_reason) == ("It is 4 degrees in Oslo.", "success")
    assert model.requests[0].messages[-1]["content"] == "4 degrees"


@pytest.mark.parametrize(
    "tool",
    [{}, {"type": "function"}, {"type": "function", "function": {"name": ""}}, {"function": 3}],
)
def test_a_tool_without_a_name_is_refused(tool: JsonObject) -> None:
    with pytest.raises(ValidationError, match="tool 0 needs a function with a name"):
        AgentConfig(model="m", client_tools=(tool,))

"""A server that takes no tools: the run goes on in plain text, one JSON object a turn."""

from __future__ import annotations

import json

import pytest

from mini_agent.agent.prompted_tools import (
    build_step_schema,
    format_instructions,
    parse_step,
    write_calls_as_text,
)
from mini_agent.agent.structured_output import InvalidJsonAnswer, JsonFormat
from mini_agent.config import AgentConfig
from mini_agent.errors import ModelError, NoToolSupport
from mini_agent.messages import assistant, function_call, tool_result, user
from mini_agent.testing.scripted import ScriptedModel, text_reply
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.catalog import ECHO, EXEC_PYTHON, EchoMCP
from tests.agent.checked_run import TASK, run_agent

CONFIG = AgentConfig(model="m")
NO_TOOLS = NoToolSupport("m cannot call tools")
CALLS = text_reply('{"tool": "echo", "args": {"text": "a3b2c1"}}')
ANSWERS = text_reply('{"final": "It is a3b2c1."}')
STEP = '{{"tool": "echo", "args": {{"text": "{}"}}}}'
TOOLS = parse_tools([ECHO, EXEC_PYTHON])


async def test_a_server_without_tools_is_asked_in_text() -> None:
    with ScriptedModel(NO_TOOLS, CALLS, ANSWERS) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("It is a3b2c1.", "success")
    assert result.iterations[0].tool_invocations[0].stdout == "a3b2c1"
    assert "takes no tools" in result.iterations[0].repaired[0]
    assert [len(asked.tools) for asked in model.requests] == [1, 0, 0]


async def test_the_protocol_and_the_tools_are_in_the_instructions() -> None:
    with ScriptedModel(NO_TOOLS, ANSWERS) as model:
        await run_agent(TASK, EchoMCP(), CONFIG, model)
    instructions = str(model.requests[1].messages[0]["content"])
    assert '{"tool": NAME, "args": {...}}' in instructions
    assert "- echo: Get the same text back." in instructions
    assert "response_format" in model.requests[1].options


async def test_nothing_that_such_a_server_would_refuse_is_sent() -> None:
    with ScriptedModel(NO_TOOLS, CALLS, ANSWERS) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    sent = model.requests[2].messages
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "user"]
    assert not any("tool_calls" in message for message in sent)
    assert [message["role"] for message in result.messages[2:4]] == ["assistant", "tool"]


async def test_a_server_that_takes_no_schema_either_is_asked_without_one() -> None:
    with ScriptedModel(NO_TOOLS, ModelError("bad response_format"), ANSWERS) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "It is a3b2c1."
    assert "response_format" not in model.requests[2].options


async def test_plain_words_are_an_answer_too() -> None:
    with ScriptedModel(NO_TOOLS, text_reply("It is a3b2c1.")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "It is a3b2c1."


async def test_a_server_that_refuses_even_that_ends_the_run() -> None:
    with ScriptedModel(NO_TOOLS, NO_TOOLS, NO_TOOLS) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.stopped_reason, result.error) == ("error", "m cannot call tools")


def test_calls_in_a_conversation_are_told_in_words() -> None:
    calls = [function_call(each, "echo", {"text": each}) for each in ("a", "b")]
    messages = [*TASK, assistant("Well.", calls), tool_result("a", "A"), tool_result("b", "B")]
    assert write_calls_as_text(messages) == [
        *TASK,
        assistant(f"Well.\n{STEP.format('a')}\n{STEP.format('b')}"),
        user("A\n\nB"),
    ]


@pytest.mark.parametrize(
    "step",
    [
        {"tool": "echo", "args": {"text": "x"}},
        {"tool": "exec_python", "args": {"code": "print(1)", "timeout_s": 3}},
        {"final": "42"},
    ],
)
def test_the_schema_takes_every_step(step: object) -> None:
    JsonFormat(build_step_schema(TOOLS)).extract(json.dumps(step))
    assert parse_step(json.dumps(step)) is not None


@pytest.mark.parametrize(
    "step", [{"tool": "nowhere", "args": {}}, {"tool": "echo"}, {"final": 42}, {}, []]
)
def test_the_schema_takes_nothing_else(step: object) -> None:
    with pytest.raises(InvalidJsonAnswer):
        JsonFormat(build_step_schema(TOOLS)).extract(json.dumps(step))


@pytest.mark.parametrize("text", ["", "42", "no JSON", '{"tool": 1}', '{"tool": "echo"}', "[]"])
def test_what_is_no_step_is_left_to_others(text: str) -> None:
    assert parse_step(text) is None


def test_an_answer_that_is_json_itself_stays_json() -> None:
    assert parse_step('{"final": {"n": 42}}') == '{"n": 42}'


def test_every_tool_is_described() -> None:
    assert all(f"- {name}: " in format_instructions(TOOLS) for name in TOOLS)

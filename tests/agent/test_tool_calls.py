"""The model's tool calls: each is answered once, in order, whatever is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import JsonValue

from mini_agent.config import AgentConfig
from mini_agent.messages import Message, user
from mini_agent.model import ModelReply, ToolCall
from mini_agent.result import AgentResult
from mini_agent.testing.scripted import (
    ScriptedModel,
    ScriptedSandbox,
    calls_reply,
    execution,
    scripted_call,
    text_reply,
)
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.invoker import Invoker, OpenAIToolCall, Tool
from mini_agent.tools.sandbox import SandboxInvoker
from tests.agent.checked_run import run_agent

TASK = [user("Go.")]
CONFIG = AgentConfig(model="m")


async def run(invoker: Invoker, *turns: ModelReply, config: AgentConfig = CONFIG) -> AgentResult:
    with ScriptedModel(*turns, text_reply("done")) as model:
        return await run_agent(TASK, invoker, config, model)


def answers(result: AgentResult) -> list[Message]:
    return [message for message in result.messages if message["role"] == "tool"]


def stored_calls(result: AgentResult) -> list[Message]:
    return [
        each
        for message in result.messages
        for each in _list(message.get("tool_calls"))
        if isinstance(each, dict)
    ]


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()


async def test_a_tool_nobody_has_is_an_observation_not_a_crash() -> None:
    result = await run(EchoMCP(), calls_reply(scripted_call("search_web", query="x")))
    assert answers(result)[0]["content"] == (
        "[search_web error]\n"
        "there is no tool 'search_web'; known tools: echo\n"
        "The call failed. Fix the cause and call the tool again."
    )
    assert result.final_answer == "done"


async def test_a_name_that_plainly_means_one_of_ours_is_mapped_and_recorded() -> None:
    with ScriptedSandbox(execution("1\n")) as sandbox:
        result = await run(
            SandboxInvoker(sandbox), calls_reply(scripted_call("python", source="print(1)"))
        )
    iteration = result.iterations[0]
    assert iteration.repaired == (
        "tool python was taken as exec_python",
        "argument source was taken as code",
    )
    invocation = iteration.tool_invocations[0]
    assert (invocation.name, invocation.requested_name) == ("exec_python", "python")
    assert sandbox.snippets[0].code == "print(1)"


async def test_the_model_is_shown_the_names_that_were_meant() -> None:
    with ScriptedSandbox(execution("1\n")) as sandbox:
        result = await run(
            SandboxInvoker(sandbox), calls_reply(scripted_call("python", source="print('é')"))
        )
    assert stored_calls(result)[0]["function"] == {
        "name": "exec_python",
        "arguments": '{"code": "print(\'é\')"}',
    }


async def test_a_name_means_nothing_where_its_tool_is_not_offered() -> None:
    result = await run(EchoMCP(), calls_reply(scripted_call("python", code="print(1)")))
    assert result.iterations[0].tool_invocations[0].error == (
        "there is no tool 'python'; known tools: echo"
    )


@pytest.mark.parametrize("broken", ['{"text": "a', '{"a": NaN}'])
async def test_broken_arguments_are_told_and_stored_as_valid_json(broken: str) -> None:
    result = await run(EchoMCP(), calls_reply(ToolCall("1", "echo", broken)))
    assert "the arguments are not a JSON object" in str(answers(result)[0]["content"])
    assert stored_calls(result)[0]["function"] == {"name": "echo", "arguments": "{}"}


async def test_a_missing_argument_is_named() -> None:
    result = await run(EchoMCP(), calls_reply(ToolCall("1", "echo", "")))
    assert result.iterations[0].tool_invocations[0].error == "missing argument: text"


async def test_a_program_of_nothing_is_a_missing_argument() -> None:
    with ScriptedSandbox() as sandbox:
        result = await run(
            SandboxInvoker(sandbox), calls_reply(scripted_call("exec_python", code=" \n"))
        )
    assert result.iterations[0].tool_invocations[0].error == "missing argument: code"


async def test_calls_beyond_the_cap_are_answered_but_not_run() -> None:
    several = [scripted_call("echo", text=str(number)) for number in range(4)]
    config = AgentConfig(model="m", max_tools_per_iter=2)
    result = await run(EchoMCP(), calls_reply(*several), config=config)
    assert [answer["tool_call_id"] for answer in answers(result)] == [each.id for each in several]
    assert [each.ok for each in result.iterations[0].tool_invocations] == [True, True, False, False]
    assert "at most 2 calls are run in one turn" in str(answers(result)[3]["content"])


async def test_a_call_cut_off_at_the_token_limit_is_not_run() -> None:
    whole, cut = scripted_call("echo", text="a"), scripted_call("echo", text="b")
    result = await run(EchoMCP(), calls_reply(whole, cut, finish_reason="length"))
    assert [each.ok for each in result.iterations[0].tool_invocations] == [True, False]
    assert "cut off at the token limit" in str(answers(result)[1]["content"])


async def test_ids_that_repeat_or_are_missing_are_made_unique() -> None:
    twice = [ToolCall("a", "echo", '{"text": "x"}'), ToolCall("a", "echo", '{"text": "y"}')]
    nameless = replace(twice[0], id="")
    result = await run(EchoMCP(), calls_reply(*twice), calls_reply(*twice, nameless, nameless))
    ids = [answer["tool_call_id"] for answer in answers(result)]
    assert len(set(ids)) == 6
    assert all(ids)
    assert [each["id"] for each in stored_calls(result)] == ids


async def test_a_name_that_servers_refuse_is_stored_in_a_form_they_take() -> None:
    result = await run(
        EchoMCP(), calls_reply(ToolCall("1", "do it, now! \ud800" + "x" * 300, "{}"))
    )
    stored = json.dumps(stored_calls(result)[0]["function"])
    assert stored.startswith('{"name": "do_it__now___xxx')
    assert len(stored) < 120


async def test_two_calls_in_a_turn_run_in_their_order() -> None:
    with ScriptedSandbox(execution("1\n"), execution("2\n")) as sandbox:
        turn = calls_reply(
            scripted_call("exec_python", code="print(1)"),
            scripted_call("exec_python", code="print(2)"),
        )
        result = await run(SandboxInvoker(sandbox), turn)
    assert [snippet.code for snippet in sandbox.snippets] == ["print(1)", "print(2)"]
    assert [each.stdout for each in result.iterations[0].tool_invocations] == ["1\n", "2\n"]


class Broken:
    """An invoker whose tool raises, and which lists it twice."""

    async def list_openai_tools(self) -> list[Tool]:
        return 2 * await EchoMCP().list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        raise RuntimeError(f"no {openai_tool['type']} today")


async def test_a_tool_that_raises_is_an_observation() -> None:
    result = await run(Broken(), calls_reply(scripted_call("echo", text="a")))
    error = "the tool failed with RuntimeError: no function today"
    assert result.iterations[0].tool_invocations[0].error == error
    assert result.final_answer == "done"


async def test_a_tool_listed_twice_is_offered_once() -> None:
    with ScriptedModel(text_reply("done")) as model:
        await run_agent(TASK, Broken(), CONFIG, model)
    assert len(model.requests[0].tools) == 1


class Unlisted(Broken):
    async def list_openai_tools(self) -> list[Tool]:
        raise ConnectionError("gateway is away")


async def test_tools_that_cannot_be_listed_end_the_run_in_words() -> None:
    with ScriptedModel() as model:
        result = await run_agent(TASK, Unlisted(), CONFIG, model)
    assert result.stopped_reason == "error"
    assert result.error == "the tools could not be listed: ConnectionError: gateway is away"

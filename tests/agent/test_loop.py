"""The loop with a model that behaves: what it is shown, and what the run records."""

from __future__ import annotations

from mini_agent.agent.prompts import SYSTEM_PROMPT
from mini_agent.config import AgentConfig
from mini_agent.messages import Message, system, user
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
from mini_agent.tools.sandbox import SandboxInvoker
from tests.agent.checked_run import run_agent

TASK = [user("Run-length encode aaabbc.")]
CONFIG = AgentConfig(model="ollama/tiny")
PRINTS = scripted_call("exec_python", code="print('a3b2c1')")


def roles(messages: list[Message]) -> list[object]:
    return [message["role"] for message in messages]


async def test_the_model_sees_what_its_call_printed_and_has_the_last_word() -> None:
    with (
        ScriptedModel(calls_reply(PRINTS), text_reply("It is a3b2c1.")) as model,
        ScriptedSandbox(execution("a3b2c1\n")) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("It is a3b2c1.", "model")
    assert result.stopped_reason == "success"
    assert model.requests[1].messages[-1] == {
        "role": "tool",
        "tool_call_id": PRINTS.id,
        "content": "[exec_python rc=0]\nstdout:\na3b2c1",
    }


async def test_the_messages_are_the_whole_run_in_order() -> None:
    with (
        ScriptedModel(calls_reply(PRINTS, text="I will run it."), text_reply("a3b2c1")) as model,
        ScriptedSandbox(execution("a3b2c1\n")) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    assert roles(result.messages) == ["system", "user", "assistant", "tool", "assistant"]
    assert result.messages[2]["content"] == "I will run it."


async def test_a_failed_program_is_shown_to_the_model_which_repairs_it() -> None:
    broken = execution(status="nonzero", stderr="NameError: name 'x' is not defined\n")
    script = (
        calls_reply(scripted_call("exec_python", code="print(x)")),
        calls_reply(PRINTS),
        text_reply("a3b2c1"),
    )
    with ScriptedModel(*script) as model, ScriptedSandbox(broken, execution("a3b2c1\n")) as sandbox:
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    assert model.requests[1].messages[-1]["content"] == (
        "[exec_python rc=1]\nstderr:\nNameError: name 'x' is not defined\n"
        "The call failed. Fix the cause and call the tool again."
    )
    assert [call.ok for each in result.iterations for call in each.tool_invocations] == [
        False,
        True,
    ]


async def test_without_repair_a_failure_carries_no_directive() -> None:
    config = AgentConfig(model="m", enable_repair=False)
    failing = execution(status="nonzero", exit_code=3)
    with (
        ScriptedModel(calls_reply(PRINTS), text_reply("it failed")) as model,
        ScriptedSandbox(failing) as box,
    ):
        await run_agent(TASK, SandboxInvoker(box), config, model)
    assert model.requests[1].messages[-1]["content"] == "[exec_python rc=3]\n(no output)"


async def test_an_invocation_keeps_its_execution() -> None:
    ran = execution("a3b2c1\n")
    with (
        ScriptedModel(calls_reply(PRINTS), text_reply("a3b2c1")) as model,
        ScriptedSandbox(ran) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    last = result.last_tool_invocation
    assert last is not None
    assert last.execution == ran
    assert (last.rc, last.stdout, last.arguments) == (0, "a3b2c1\n", {"code": "print('a3b2c1')"})


async def test_a_caller_without_system_message_gets_ours() -> None:
    with ScriptedModel(text_reply("hello")) as model:
        await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert model.requests[0].messages == [system(SYSTEM_PROMPT), *TASK]


async def test_a_callers_system_message_is_the_only_one() -> None:
    own = [system("Speak French."), *TASK]
    with ScriptedModel(text_reply("bonjour")) as model:
        await run_agent(own, EchoMCP(), CONFIG, model)
    assert model.requests[0].messages == own


async def test_the_tools_offered_are_the_invokers() -> None:
    with ScriptedModel(text_reply("hello")) as model:
        await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert model.requests[0].tools == await EchoMCP().list_openai_tools()


async def test_without_tools_none_are_offered_and_none_are_talked_about() -> None:
    config = AgentConfig(model="m", use_tools=False)
    with ScriptedModel(text_reply("hello")) as model:
        result = await run_agent(TASK, EchoMCP(), config, model)
    assert model.requests[0].tools == []
    assert roles(result.messages) == ["user", "assistant"]


async def test_iterations_count_from_one_and_their_usage_adds_up() -> None:
    script = (
        calls_reply(scripted_call("echo", text="hi")),
        calls_reply(scripted_call("echo", text="ho")),
        text_reply("done"),
    )
    with ScriptedModel(*script) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert [each.index for each in result.iterations] == [1, 2, 3]
    assert (result.usage.prompt_tokens, result.usage.completion_tokens) == (60, 30)
    assert result.used_model == "scripted"


async def test_a_run_does_not_change_the_callers_messages() -> None:
    messages = [user("hi")]
    with ScriptedModel(calls_reply(scripted_call("echo", text="hi")), text_reply("done")) as model:
        await run_agent(messages, EchoMCP(), CONFIG, model)
    assert messages == [user("hi")]


async def test_a_model_that_changes_its_request_does_not_change_the_run() -> None:
    with ScriptedModel(text_reply("done")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    model.requests[0].messages.clear()
    assert roles(result.messages) == ["system", "user", "assistant"]


async def test_a_result_can_be_the_start_of_the_next_run() -> None:
    with ScriptedModel(calls_reply(scripted_call("echo", text="hi")), text_reply("hi")) as model:
        first = await run_agent(TASK, EchoMCP(), CONFIG, model)
    with ScriptedModel(text_reply("still here")) as model:
        second = await run_agent([*first.messages, user("And now?")], EchoMCP(), CONFIG, model)
    assert second.messages[: len(first.messages)] == first.messages


async def test_thoughts_are_kept_apart_from_the_answer() -> None:
    with ScriptedModel(text_reply("<think>hm, easy</think>\n42")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "42"
    assert result.iterations[0].reasoning == "hm, easy"
    assert result.messages[-1]["content"] == "42"


async def test_options_reach_the_model_as_they_are() -> None:
    config = AgentConfig(
        model="m", temperature=0.5, num_ctx=4096, completion_kwargs={"max_tokens": 9, "seed": 1}
    )
    with ScriptedModel(text_reply("hello")) as model:
        await run_agent(TASK, EchoMCP(), config, model)
    asked = model.requests[0]
    assert (asked.model, asked.temperature, asked.num_ctx) == ("m", 0.5, 4096)
    assert asked.options == {"max_tokens": 9, "seed": 1}


async def test_a_required_tool_choice_is_dropped_once_a_tool_has_answered() -> None:
    config = AgentConfig(model="m", completion_kwargs={"tool_choice": "required", "seed": 1})
    with ScriptedModel(calls_reply(scripted_call("echo", text="hi")), text_reply("hi")) as model:
        await run_agent(TASK, EchoMCP(), config, model)
    assert [asked.options for asked in model.requests] == [
        {"tool_choice": "required", "seed": 1},
        {"seed": 1},
    ]


async def test_a_result_survives_json() -> None:
    with (
        ScriptedModel(calls_reply(PRINTS), text_reply("odd: \ud800")) as model,
        ScriptedSandbox(execution("é\n")) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), CONFIG, model)
    assert AgentResult.model_validate_json(result.model_dump_json()) == result

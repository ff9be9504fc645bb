"""How runs end: an answer that is never blank, and why they stopped."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mini_agent.agent.prompts import ANSWER_NOW, EMPTY_ANSWER, EMPTY_TURN
from mini_agent.config import AgentConfig
from mini_agent.errors import ModelError
from mini_agent.messages import assistant, user
from mini_agent.model import ModelReply, ModelRequest
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

TASK = [user("Say something.")]
CONFIG = AgentConfig(model="m", max_iterations=2)
ECHOES = calls_reply(scripted_call("echo", text="a3b2c1"))


async def test_an_empty_answer_is_asked_for_once_more_with_the_tools_withheld() -> None:
    with ScriptedModel(ECHOES, text_reply(" \n"), text_reply("a3b2c1 it is")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("a3b2c1 it is", "model")
    assert result.stopped_reason == "success"
    assert model.requests[2].tools == []
    assert model.requests[2].messages[-1] == user(EMPTY_ANSWER)


async def test_a_model_that_stays_silent_is_spoken_for_by_its_last_output() -> None:
    with ScriptedModel(ECHOES, text_reply(""), text_reply("")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("a3b2c1", "tool_output")
    assert result.stopped_reason == "success"


async def test_a_model_that_never_says_or_does_anything_is_an_error_in_words() -> None:
    with ScriptedModel(text_reply(""), text_reply(""), text_reply("")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.stopped_reason == "error"
    assert result.answer_source == "notice"
    assert "empty answer three times" in result.final_answer


async def test_calls_made_when_tools_are_withheld_are_not_run() -> None:
    with ScriptedModel(
        ECHOES, text_reply(""), calls_reply(scripted_call("echo", text="b"), text="fine")
    ) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "fine"
    assert [len(each.tool_invocations) for each in result.iterations] == [1, 0]
    assert result.messages[-1] == {"role": "assistant", "content": "fine"}


async def test_after_the_last_turn_the_model_is_asked_for_words() -> None:
    with ScriptedModel(ECHOES, ECHOES, text_reply("so far: a3b2c1")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("so far: a3b2c1", "model")
    assert result.stopped_reason == "max_iterations"
    assert model.requests[2].tools == []
    assert model.requests[2].messages[-1] == user(ANSWER_NOW)


async def test_a_last_word_is_asked_for_without_a_tool_choice() -> None:
    options = {"tool_choice": "required", "parallel_tool_calls": True, "seed": 1}
    config = AgentConfig.model_validate({"model": "m", "completion_kwargs": options})
    with ScriptedModel(ECHOES, text_reply(""), text_reply("fine")) as model:
        await run_agent(TASK, EchoMCP(), config, model)
    assert model.requests[0].options == options
    assert model.requests[2].options == {"seed": 1}


async def test_the_last_word_is_no_iteration_but_its_cost_is_counted() -> None:
    with ScriptedModel(ECHOES, ECHOES, text_reply("so far: a3b2c1")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert len(result.iterations) == 2
    assert result.usage.prompt_tokens == 60
    assert "withheld" in result.iterations[1].repaired[0]


async def test_a_model_that_only_ever_calls_ends_with_its_last_output() -> None:
    with ScriptedModel(ECHOES, calls_reply(scripted_call("echo", text=" ")), ECHOES) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("a3b2c1", "tool_output")
    assert result.stopped_reason == "max_iterations"


async def test_output_of_a_failed_call_is_no_answer() -> None:
    nothing = calls_reply(scripted_call("nowhere"))
    with ScriptedModel(nothing, nothing, text_reply("")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.answer_source == "notice"
    assert result.final_answer == (
        "The run stopped at its limit of 2 turns before there was an answer."
    )


async def test_text_beside_a_rejected_call_is_not_taken_for_the_answer() -> None:
    with ScriptedModel(
        calls_reply(scripted_call("nowhere"), text="Let me look."), text_reply("Found.")
    ) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "Found."


async def test_a_model_error_ends_the_run_with_what_was_done_and_its_sentence() -> None:
    gone = ModelError("model 'm' is not there", hint="ollama pull m")
    with ScriptedModel(ECHOES, gone) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.stopped_reason == "error"
    assert result.error == "model 'm' is not there (ollama pull m)"
    assert len(result.iterations) == 1
    assert (result.final_answer, result.answer_source) == ("a3b2c1", "tool_output")


async def test_a_model_error_in_the_first_turn_is_the_answer() -> None:
    with ScriptedModel(ModelError("refused")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer == "The run stopped without an answer: refused"
    assert (result.iterations, result.used_model) == ((), "m")


async def test_a_model_error_after_the_last_turn_leaves_the_output_as_answer() -> None:
    with ScriptedModel(ECHOES, ECHOES, ModelError("refused")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.stopped_reason, result.error) == ("max_iterations", "refused")
    assert result.final_answer == "a3b2c1"


@pytest.mark.parametrize("raised", [KeyError("choices"), TimeoutError("slow"), ValueError("bad")])
async def test_a_model_that_raises_anything_else_is_an_error_too(raised: Exception) -> None:
    with ScriptedModel(raised) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.stopped_reason == "error"
    assert type(raised).__name__ in (result.error or "")


async def test_a_long_output_answers_with_its_end() -> None:
    long = calls_reply(scripted_call("echo", text="x" * 10_000 + "the end"))
    with ScriptedModel(long, text_reply(""), text_reply("")) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert result.final_answer.endswith("the end")
    assert len(result.final_answer) == 4000


class ReplyAfterTools:
    """A model that checks what it is asked, whatever happens."""

    def __init__(self, *replies: ModelReply) -> None:
        self._replies = iter(replies)

    async def reply(self, request: ModelRequest) -> ModelReply:
        roles = [message["role"] for message in request.messages]
        assert roles[-1] != "assistant"
        assert ("assistant", "assistant") not in pairwise(roles)
        assert all(message["content"] for message in request.messages if message["role"] == "tool")
        return next(self._replies)


async def test_the_model_never_follows_on_its_own_words() -> None:
    model = ReplyAfterTools(ECHOES, text_reply(""), text_reply("done"))
    messages = [*TASK, assistant("a"), assistant("b")]
    result = await run_agent(messages, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.error) == ("done", None)


async def test_a_model_that_is_silent_before_it_has_done_anything_may_still_use_its_tools() -> None:
    with ScriptedModel(text_reply(""), ECHOES, text_reply("a3b2c1 it is")) as model:
        result = await run_agent(TASK, EchoMCP(), AgentConfig(model="m"), model)
    assert (result.final_answer, len(result.iterations)) == ("a3b2c1 it is", 3)
    assert model.requests[1].tools != []
    assert model.requests[1].messages[-1] == user(EMPTY_TURN)


async def test_a_call_instead_of_the_words_asked_for_is_run_while_there_are_turns() -> None:
    again = calls_reply(scripted_call("echo", text="b"))
    with ScriptedModel(ECHOES, text_reply(""), again, text_reply("done")) as model:
        result = await run_agent(TASK, EchoMCP(), AgentConfig(model="m"), model)
    assert [len(each.tool_invocations) for each in result.iterations] == [1, 0, 1, 0]
    assert result.final_answer == "done"


async def test_every_silence_is_asked_about_once() -> None:
    script = [
        ECHOES,
        text_reply(""),
        calls_reply(scripted_call("echo", text="b")),
        text_reply(""),
        text_reply("done"),
    ]
    with ScriptedModel(*script) as model:
        result = await run_agent(TASK, EchoMCP(), AgentConfig(model="m"), model)
    assert result.final_answer == "done"


async def test_where_there_are_only_thoughts_they_are_the_answer() -> None:
    thinking = text_reply("", reasoning="It must be 42.")
    with ScriptedModel(thinking, thinking, thinking) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.stopped_reason) == ("It must be 42.", "success")


async def test_thoughts_after_a_tool_has_answered_are_the_answer_at_once() -> None:
    thinking = text_reply("", reasoning="The tool said a3b2c1, so that is it.")
    with ScriptedModel(ECHOES, thinking) as model:
        result = await run_agent(TASK, EchoMCP(), AgentConfig(model="m"), model)
    assert result.final_answer == "The tool said a3b2c1, so that is it."


async def test_a_call_in_words_is_never_shown_as_the_answer() -> None:
    written = text_reply('{"name": "echo", "arguments": {"text": "b"}}')
    with ScriptedModel(ECHOES, ECHOES, written) as model:
        result = await run_agent(TASK, EchoMCP(), CONFIG, model)
    assert (result.final_answer, result.answer_source) == ("a3b2c1", "tool_output")
    assert result.stopped_reason == "max_iterations"


@pytest.mark.parametrize(
    "words", ['{"name": "exec_python", "arguments": {"code": "1"}}', "I will now run the tests."]
)
async def test_without_salvage_words_are_an_answer(words: str) -> None:
    config = AgentConfig(model="m", salvage=False)
    with ScriptedModel(text_reply(words)) as model, ScriptedSandbox() as sandbox:
        result = await run_agent(TASK, SandboxInvoker(sandbox), config, model)
    assert (result.final_answer, result.stopped_reason) == (words, "success")


@pytest.mark.parametrize("runs", [True, False])
async def test_a_block_of_code_is_run_unless_that_is_switched_off(runs: bool) -> None:
    config = AgentConfig(model="m", auto_run_code_on_code_block=runs)
    block = text_reply("```python\nprint('a3b2c1')\n```")
    script = [block, text_reply("a3b2c1")] if runs else [block]
    ran = [execution("a3b2c1\n")] if runs else []
    with ScriptedModel(*script) as model, ScriptedSandbox(*ran) as sandbox:
        result = await run_agent(TASK, SandboxInvoker(sandbox), config, model)
    assert ("```" in result.final_answer) is not runs

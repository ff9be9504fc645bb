"""Foreign tools do as they like: whatever comes of a call is something to show the model."""

from __future__ import annotations

import asyncio

import pytest

from mini_agent.config import AgentConfig
from mini_agent.result import AgentResult, ToolInvocation
from mini_agent.testing.scripted import ScriptedModel, calls_reply, scripted_call, text_reply
from mini_agent.tools.invoker import OpenAIToolCall, ToolOutput
from tests.agent.checked_run import (
    TASK,
    ScriptedInvoker,
    run_agent,
    tool_texts,
)

CONFIG = AgentConfig(model="m")


async def run(invoker: ScriptedInvoker) -> AgentResult:
    with ScriptedModel(calls_reply(scripted_call("echo", text="a")), text_reply("done")) as model:
        return await run_agent(TASK, invoker, CONFIG, model)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "the tool answered with NoneType, not with text"),
        (42, "the tool answered with int, not with text"),
        (b"bytes", "the tool answered with bytes, not with text"),
        (["a"], "the tool answered with list, not with text"),
        (object(), "the tool answered with object, not with text"),
    ],
)
async def test_an_answer_that_is_no_text_is_an_observation(answer: object, said: str) -> None:
    result = await run(ScriptedInvoker(answer))
    assert said in tool_texts(result.messages)[0]
    assert (result.final_answer, result.stopped_reason) == ("done", "success")


@pytest.mark.parametrize(
    "answer",
    [
        ToolOutput(ok=True, rc="zero"),  # type: ignore[arg-type]  # a foreign tool may
        ToolOutput(ok=True, rc=0, stdout=None),  # type: ignore[arg-type]  # a foreign tool may
        ToolOutput(ok=True, rc=0, stdout=["a"]),  # type: ignore[arg-type]  # a foreign tool may
        {"stdout": {"a": 1}},
        {},
        "",
        "\x00\ud800",
    ],
)
async def test_odd_outputs_do_not_end_the_run(answer: object) -> None:
    result = await run(ScriptedInvoker(answer))
    assert result.stopped_reason == "success"
    assert AgentResult.model_validate_json(result.model_dump_json()) == result


async def test_ten_megabytes_are_shown_by_their_ends() -> None:
    result = await run(ScriptedInvoker("the start" + "x" * 10_000_000 + "the end"))
    shown = tool_texts(result.messages)[0]
    assert len(result.iterations[0].tool_invocations[0].stdout) < 66_000
    assert shown.splitlines()[2].startswith("the start")
    assert shown.splitlines()[4].endswith("the end")
    assert len(shown) < 3000


async def test_what_a_tool_tells_is_read_as_it_is_and_whole() -> None:
    text = "x" * 100_000
    result = await run(ScriptedInvoker(ToolOutput(ok=True, rc=0, stdout="short", model_text=text)))
    assert tool_texts(result.messages)[0] == text


class Raises(ScriptedInvoker):
    """A tool that raises what it is given."""

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        error = self._answers[0]
        assert isinstance(error, BaseException)
        raise error


@pytest.mark.parametrize(
    "error", [ValueError("bad"), KeyError(), asyncio.CancelledError(), TimeoutError(), OSError(28)]
)
async def test_a_tool_that_raises_is_an_observation(error: BaseException) -> None:
    result = await run(Raises(error))
    assert "the tool failed with" in tool_texts(result.messages)[0]
    assert result.stopped_reason == "success"


async def test_two_hundred_calls_in_one_turn_are_all_answered_and_few_are_run() -> None:
    several = [scripted_call("echo", text=str(number)) for number in range(200)]
    invoker = ScriptedInvoker("a")
    with ScriptedModel(calls_reply(*several), text_reply("done")) as model:
        result = await run_agent(TASK, invoker, CONFIG, model)
    assert len(tool_texts(result.messages)) == 200
    assert len(invoker.called) == 4


class Timed(ScriptedInvoker):
    """Each call takes as long as its text says; `most` is how many ran at a time."""

    running = 0
    most = 0

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str:
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(0.3 if '"slow"' in str(openai_tool) else 0.1)
        self.running -= 1
        return f"done {await super().call_openai_tool(openai_tool)}"


THREE = [scripted_call("echo", text=text) for text in ("slow", "b", "c")]


async def timed(concurrency: int) -> tuple[Timed, list[ToolInvocation]]:
    invoker = Timed("1", "2", "3")
    config = AgentConfig(model="m", tool_concurrency=concurrency)
    with ScriptedModel(calls_reply(*THREE), text_reply("done")) as model:
        result = await run_agent(TASK, invoker, config, model)
    return invoker, list(result.iterations[0].tool_invocations)


async def test_tools_run_one_after_the_other_unless_asked_otherwise() -> None:
    invoker, invocations = await timed(1)
    assert invoker.most == 1
    assert [each.stdout for each in invocations] == ["done 1", "done 2", "done 3"]


async def test_tools_run_side_by_side_and_are_shown_in_the_order_of_their_calls() -> None:
    invoker, invocations = await timed(3)
    assert invoker.most == 3
    assert [each.tool_call_id for each in invocations] == [each.id for each in THREE]
    assert invocations[0].stdout == "done 3", "the slow one was the last to finish"


async def test_no_more_run_at_a_time_than_allowed() -> None:
    invoker, _ = await timed(2)
    assert invoker.most == 2

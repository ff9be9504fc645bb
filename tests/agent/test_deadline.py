"""Time is real: the deadline cuts whatever is waited for, and cancelling ends everything."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter

import pytest

from mini_agent.agent.deadline import Deadline, DeadlineExceeded, SelfCancelled
from mini_agent.config import AgentConfig
from mini_agent.errors import ModelError, ModelUnavailable
from mini_agent.messages import user
from mini_agent.model import ModelReply, ModelRequest
from mini_agent.testing.scripted import (
    HangingStep,
    ScriptedModel,
    ScriptedSandbox,
    calls_reply,
    execution,
    scripted_call,
    text_reply,
)
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.invoker import OpenAIToolCall, Tool, ToolOutput
from mini_agent.tools.sandbox import SandboxInvoker
from tests.agent.checked_run import run_agent, wait_until

TASK = [user("Go.")]
SOON = AgentConfig(model="m", max_wallclock_seconds=0.5)
RUNS = scripted_call("exec_python", code="print(1)")


async def test_a_model_that_hangs_is_cut_at_the_deadline() -> None:
    hangs, started = HangingStep(), perf_counter()
    with ScriptedModel(hangs) as model:
        result = await run_agent(TASK, EchoMCP(), SOON, model)
    assert perf_counter() - started < 10
    assert hangs.was_cancelled
    assert result.stopped_reason == "budget"
    assert result.final_answer == (
        "The run stopped at its time limit of 0.5 s before there was an answer."
    )


async def test_a_tool_that_hangs_is_cut_and_every_call_is_still_answered() -> None:
    hangs, started = HangingStep(), perf_counter()
    with (
        ScriptedModel(calls_reply(RUNS, scripted_call("exec_python", code="print(2)"))) as model,
        ScriptedSandbox(hangs) as sandbox,
    ):
        result = await run_agent(TASK, SandboxInvoker(sandbox), SOON, model)
    assert perf_counter() - started < 10
    assert hangs.was_cancelled
    assert result.stopped_reason == "budget"
    assert [message["role"] for message in result.messages[-2:]] == ["tool", "tool"]
    errors = [each.error or "" for each in result.iterations[0].tool_invocations]
    assert all("time was up" in error for error in errors)


async def test_out_of_time_the_last_output_is_the_answer() -> None:
    with (
        ScriptedModel(calls_reply(RUNS), HangingStep()) as model,
        ScriptedSandbox(execution("7\n")) as box,
    ):
        result = await run_agent(TASK, SandboxInvoker(box), SOON, model)
    assert (result.stopped_reason, result.answer_source) == ("budget", "tool_output")
    assert result.final_answer == "7"


async def test_a_last_word_that_hangs_is_cut_too() -> None:
    config = AgentConfig(model="m", max_wallclock_seconds=0.5, max_iterations=1)
    with ScriptedModel(calls_reply(scripted_call("echo", text="7")), HangingStep()) as model:
        result = await run_agent(TASK, EchoMCP(), config, model)
    assert (result.stopped_reason, result.final_answer) == ("budget", "7")


async def test_the_model_is_told_how_long_it_has() -> None:
    with ScriptedModel(text_reply("done")) as model:
        await run_agent(TASK, EchoMCP(), AgentConfig(model="m", max_wallclock_seconds=60), model)
    assert 40 < model.requests[0].timeout_s <= 60


class Stubborn(EchoMCP):
    """A tool that ignores its cancellation, until it is `released`."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        await hold_out(self.released)
        return await super().call_openai_tool(openai_tool)


async def hold_out(released: asyncio.Event) -> None:
    """Is not over before it is released, whoever cancels it."""
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    await released.wait()


async def test_a_tool_that_ignores_its_cancellation_does_not_hold_the_run() -> None:
    stubborn, started = Stubborn(), perf_counter()
    with ScriptedModel(calls_reply(scripted_call("echo", text="a"))) as model:
        result = await run_agent(TASK, stubborn, SOON, model)
    assert perf_counter() - started < 10
    assert result.stopped_reason == "budget"
    stubborn.released.set()


class Unlisting(EchoMCP):
    async def list_openai_tools(self) -> list[Tool]:
        await asyncio.Event().wait()
        return []


async def test_tools_that_take_for_ever_to_list_are_cut() -> None:
    with ScriptedModel() as model:
        result = await run_agent(TASK, Unlisting(), SOON, model)
    assert result.stopped_reason == "budget"


async def test_cancelling_the_run_cancels_the_sandbox_call() -> None:
    hangs = HangingStep()
    with ScriptedModel(calls_reply(RUNS)) as model, ScriptedSandbox(hangs) as sandbox:
        running = asyncio.ensure_future(
            run_agent(TASK, SandboxInvoker(sandbox), AgentConfig(model="m"), model)
        )
        await wait_until(lambda: sandbox.snippets)
        started = perf_counter()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert perf_counter() - started < 10
    assert hangs.was_cancelled


async def test_cancelling_the_run_cancels_the_model_call() -> None:
    hangs = HangingStep()
    with ScriptedModel(hangs) as model:
        running = asyncio.ensure_future(run_agent(TASK, EchoMCP(), AgentConfig(model="m"), model))
        await wait_until(lambda: model.requests)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert hangs.was_cancelled


async def test_work_is_not_begun_when_time_is_already_up() -> None:
    begun = []

    async def work() -> None:
        begun.append(1)

    with pytest.raises(DeadlineExceeded):
        await Deadline.after(-1).wait_for(work())
    assert begun == []


async def test_work_that_cancels_itself_is_not_taken_for_a_cancelled_run() -> None:
    async def work() -> None:
        raise asyncio.CancelledError

    with pytest.raises(SelfCancelled):
        await Deadline.after(1).wait_for(work())


async def test_an_error_of_work_is_passed_on() -> None:
    async def work() -> None:
        raise ModelError("refused")

    with pytest.raises(ModelError, match="refused"):
        await Deadline.after(1).wait_for(work())


async def test_cancelling_between_two_turns_asks_the_model_no_more() -> None:
    script = [calls_reply(scripted_call("echo", text=str(number))) for number in range(2)]
    with ScriptedModel(*script[:1]) as model:
        running = asyncio.ensure_future(run_agent(TASK, Cancels(), AgentConfig(model="m"), model))
        with pytest.raises(asyncio.CancelledError):
            await running


class Cancels(EchoMCP):
    """A tool in whose time the run is cancelled, and which answers nevertheless."""

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        asyncio.get_running_loop().call_soon(_cancel_the_run)
        return await super().call_openai_tool(openai_tool)


def _cancel_the_run() -> None:
    for task in asyncio.all_tasks():
        if "run_agent" in repr(task.get_coro()):
            task.cancel()


async def test_tools_side_by_side_are_all_cut_at_the_deadline() -> None:
    several = [scripted_call("exec_python", code=f"print({number})") for number in range(3)]
    config = AgentConfig(model="m", max_wallclock_seconds=0.5, tool_concurrency=3)
    hangs, started = [HangingStep(), HangingStep(), HangingStep()], perf_counter()
    with ScriptedModel(calls_reply(*several)) as model, ScriptedSandbox(*hangs) as sandbox:
        result = await run_agent(TASK, SandboxInvoker(sandbox), config, model)
    assert perf_counter() - started < 10
    assert [each.was_cancelled for each in hangs] == [True, True, True]
    assert result.stopped_reason == "budget"


class SilentModel:
    """A model that ignores its cancellation, until it is `released`."""

    def __init__(self) -> None:
        self.released = asyncio.Event()

    async def reply(self, request: ModelRequest) -> ModelReply:
        await hold_out(self.released)
        return text_reply("too late")


async def test_a_model_that_ignores_its_cancellation_does_not_hold_the_run() -> None:
    model, started = SilentModel(), perf_counter()
    result = await run_agent(TASK, EchoMCP(), SOON, model)
    assert perf_counter() - started < 10
    assert (result.stopped_reason, result.answer_source) == ("budget", "notice")
    model.released.set()


async def test_the_pause_before_a_second_try_ends_when_the_run_is_cancelled() -> None:
    busy = ModelUnavailable("busy", retry_after_s=60)
    with ScriptedModel(busy) as model:
        running = asyncio.ensure_future(run_agent(TASK, EchoMCP(), AgentConfig(model="m"), model))
        await wait_until(lambda: model.requests)
        await asyncio.sleep(0.1)
        started = perf_counter()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert perf_counter() - started < 10

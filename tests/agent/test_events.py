"""The events of a run: what happens, in the order in which it happens."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from time import perf_counter

import pytest
from pydantic import TypeAdapter

from mini_agent import astream_mcp_mini_agent
from mini_agent.agent import loop
from mini_agent.config import AgentConfig
from mini_agent.errors import BadRequest
from mini_agent.events import (
    CallRepaired,
    CallsUnderstood,
    Event,
    Observation,
    Stopped,
    ToolOutputPiece,
)
from mini_agent.testing.scripted import (
    HangingStep,
    ScriptedModel,
    calls_reply,
    scripted_call,
    text_reply,
)
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.invoker import OpenAIToolCall, ToolOutput, text_output
from mini_agent_protocol.execution import Output
from tests.agent.checked_run import TASK, tool_texts, wait_until

CONFIG = AgentConfig(model="m")
ECHOES = calls_reply(scripted_call("echo", text="a"))


async def collect_events(model: ScriptedModel, invoker: EchoMCP | None = None) -> list[Event]:
    stream = astream_mcp_mini_agent(TASK, invoker or EchoMCP(), CONFIG, model=model)
    return [event async for event in stream]


async def test_a_run_is_told_from_its_start_to_its_end() -> None:
    with ScriptedModel(ECHOES, text_reply("done")) as model:
        events = await collect_events(model)
    assert [event.kind for event in events] == [
        "run_started",
        "model_asked",
        "model_replied",
        "calls_understood",
        "tool_started",
        "tool_finished",
        "observation",
        "model_asked",
        "model_replied",
        "stopped",
    ]


async def test_the_last_event_holds_the_result() -> None:
    with ScriptedModel(text_reply("done")) as model:
        events = await collect_events(model)
    last = events[-1]
    assert isinstance(last, Stopped)
    assert last.result.final_answer == "done"


async def test_calls_are_told_as_they_are_carried_out_before_the_first_is() -> None:
    two = calls_reply(scripted_call("echo", message="a"), scripted_call("no_such_tool"))
    with ScriptedModel(two, text_reply("done")) as model:
        events = await collect_events(model)
    (understood,) = [event for event in events if isinstance(event, CallsUnderstood)]
    assert [(each.name, each.arguments) for each in understood.calls] == [
        ("echo", {"text": "a"}),
        ("no_such_tool", {}),
    ]
    answered = [each.tool_call_id for each in events if isinstance(each, Observation)]
    assert answered == [each.id for each in understood.calls]


async def test_a_repair_is_told_with_its_call() -> None:
    with ScriptedModel(
        calls_reply(scripted_call("echo", message="a")), text_reply("done")
    ) as model:
        events = await collect_events(model)
    repaired = [event for event in events if isinstance(event, CallRepaired)]
    assert [each.repaired for each in repaired] == [("argument message was taken as text",)]


async def test_what_the_loop_says_itself_is_told_too() -> None:
    with ScriptedModel(text_reply(""), text_reply("done")) as model:
        events = await collect_events(model)
    said = [event for event in events if isinstance(event, Observation)]
    assert [each.tool_call_id for each in said] == [None]
    assert "empty" in said[0].text


class Streaming(EchoMCP):
    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, tell: object
    ) -> str | ToolOutput:
        assert callable(tell)
        tell(Output(stream="stdout", text="one\n"))
        tell(Output(stream="stderr", text="two\n"))
        return text_output("one\n")


async def test_output_is_told_piece_by_piece_where_the_invoker_streams() -> None:
    with ScriptedModel(ECHOES, text_reply("done")) as model:
        events = await collect_events(model, Streaming())
    pieces = [event for event in events if isinstance(event, ToolOutputPiece)]
    assert [(each.stream, each.text) for each in pieces] == [
        ("stdout", "one\n"),
        ("stderr", "two\n"),
    ]


async def test_a_run_that_nobody_listens_to_asks_for_its_output_at_once() -> None:
    asked: list[str] = []

    class Noting(Streaming):
        async def stream_openai_tool(
            self, openai_tool: OpenAIToolCall, tell: object
        ) -> str | ToolOutput:
            asked.append("in pieces")
            return await super().stream_openai_tool(openai_tool, tell)

    with ScriptedModel(ECHOES, text_reply("done")) as model:
        await loop.run_agent(TASK, Noting(), CONFIG, model)
    assert asked == []
    with ScriptedModel(ECHOES, text_reply("done")) as model:
        await collect_events(model, Noting())
    assert asked == ["in pieces"]


async def test_events_survive_json() -> None:
    with ScriptedModel(ECHOES, text_reply("done")) as model:
        events = await collect_events(model)
    every = TypeAdapter(list[Event])
    assert every.validate_json(every.dump_json(events)) == events


async def test_closing_the_stream_ends_the_run() -> None:
    hangs = HangingStep()
    with ScriptedModel(hangs) as model:
        stream = astream_mcp_mini_agent(TASK, EchoMCP(), CONFIG, model=model)
        async with aclosing(stream) as events:
            kinds = [(await anext(events)).kind for _ in range(2)]
            await wait_until(lambda: model.requests)
            started = perf_counter()
    assert perf_counter() - started < 10
    assert kinds == ["run_started", "model_asked"]
    assert hangs.was_cancelled


async def test_cancelling_who_listens_ends_the_run() -> None:
    hangs = HangingStep()
    with ScriptedModel(hangs) as model:
        listening = asyncio.ensure_future(collect_events(model))
        await wait_until(lambda: model.requests)
        started = perf_counter()
        listening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listening
    assert perf_counter() - started < 10
    assert hangs.was_cancelled


async def test_a_cancelled_run_tells_what_was_done() -> None:
    events: list[Event] = []
    with ScriptedModel(ECHOES, HangingStep()) as model:
        run = loop.run_agent(TASK, EchoMCP(), CONFIG, model, events.append)
        running = asyncio.ensure_future(run)
        await wait_until(lambda: len(model.requests) == 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    last = events[-1]
    assert isinstance(last, Stopped)
    assert (last.result.stopped_reason, last.result.final_answer) == ("cancelled", "a")


class Hanging(EchoMCP):
    """A tool that never answers."""

    is_called = False

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> ToolOutput:
        self.is_called = True
        await asyncio.Event().wait()
        return await super().call_openai_tool(openai_tool)


async def test_a_run_cancelled_in_a_tool_leaves_no_call_unanswered() -> None:
    events: list[Event] = []
    with ScriptedModel(ECHOES) as model:
        hanging = Hanging()
        run = loop.run_agent(TASK, hanging, CONFIG, model, events.append)
        running = asyncio.ensure_future(run)
        await wait_until(lambda: hanging.is_called)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    last = events[-1]
    assert isinstance(last, Stopped)
    assert broken_rules(last.result.messages) == []
    assert "the run stopped before this call was done" in tool_texts(last.result.messages)


async def test_messages_that_cannot_be_sent_are_raised_to_the_listener() -> None:
    stream = astream_mcp_mini_agent([], EchoMCP(), CONFIG, model=ScriptedModel())
    with pytest.raises(BadRequest):
        await anext(aiter(stream))

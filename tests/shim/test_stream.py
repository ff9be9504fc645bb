"""`POST /agent/run` with `stream`: the events of a run as they happen."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus

import httpx
import pytest
from starlette.types import Message

from mini_agent.agent.run import iterate_events
from mini_agent.errors import Problem
from mini_agent.events import Listener, ModelAsked
from mini_agent.result import AgentResult
from mini_agent_protocol.asgi import event_stream
from mini_agent_shim.app import create_app
from mini_agent_shim.http import event_stream as event_answer
from mini_agent_shim.http.event_stream import stream_events
from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import ScriptedModel, SilentModel, open_client, program_turn, text_turn
from tests.shim.serving import serve_app

ASKED = {
    "messages": [{"role": "user", "content": "hi"}],
    "model": "a/b",
    "tool_backend": "echo",
    "stream": True,
}


async def test_each_event_is_one_message_and_the_last_one_is_stopped() -> None:
    async with open_client(
        ScriptedModel([program_turn("x", tool="echo"), text_turn("hey")])
    ) as client:
        answer = await client.post("/agent/run", json=ASKED)
    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    messages = answer.text.removesuffix("\n\n").split("\n\n")
    assert [message.split("\n")[0] for message in messages] == [
        "event: run_started",
        "event: model_asked",
        "event: model_replied",
        "event: calls_understood",
        "event: call_repaired",
        "event: tool_started",
        "event: tool_finished",
        "event: observation",
        "event: model_asked",
        "event: model_replied",
        "event: stopped",
    ]
    assert all(message.split("\n")[1].startswith('data: {"kind":"') for message in messages)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"model": ""}, HTTPStatus.BAD_REQUEST),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, HTTPStatus.BAD_REQUEST),
        ({"stream": "perhaps"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ({"tool_backend": "auto"}, HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
async def test_an_error_before_the_run_is_an_answer_with_its_status(
    changed: dict[str, object], status: HTTPStatus
) -> None:
    async with open_client(ScriptedModel([])) as client:
        answer = await client.post("/agent/run", json=ASKED | changed)
    assert answer.status_code == status
    assert Problem.model_validate_json(answer.content).error.message


async def test_silence_is_broken_by_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_answer, "KEEPALIVE_INTERVAL_S", 0.02)
    async with open_client(SilentModel()) as client:
        short = ASKED | {"max_wallclock_seconds": 1}
        answer = await client.post("/agent/run", json=short)
    assert answer.text.count(": alive\n\n") >= 3
    assert answer.text.split("event: ")[-1].startswith("stopped\n")


async def test_a_caller_who_hangs_up_ends_the_run() -> None:
    model = SilentModel()
    with serve_app(create_app(ShimSettings(), model=model)) as url:
        async with (
            httpx.AsyncClient(base_url=url) as client,
            client.stream("POST", "/agent/run", json=ASKED) as answer,
        ):
            lines = answer.aiter_lines()
            assert await anext(lines) == "event: run_started"
        await until_cancelled(model, within_s=15)


async def until_cancelled(model: SilentModel, within_s: float) -> None:
    until = time.monotonic() + within_s
    while not model.cancelled.is_set():
        assert time.monotonic() < until, "the run goes on"
        await asyncio.sleep(0.01)


async def test_a_caller_who_takes_nothing_is_as_good_as_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "WRITE_TIMEOUT_S", 0.05)
    ended = asyncio.Event()

    async def run(listener: Listener) -> AgentResult:
        listener(ModelAsked(iteration=1, model="m", shown_messages=1, tools_offered=0))
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    await asyncio.wait_for(stream_events(iterate_events(run))({"type": "http"}, receive, send), 30)
    assert ended.is_set()

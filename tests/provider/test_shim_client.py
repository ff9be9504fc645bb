"""A whole run over HTTP: what the caller of the shim gets to see."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from http import HTTPStatus

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mini_agent.errors import (
    BadRequest,
    MiniAgentError,
    SandboxUnavailable,
    ShimUnavailable,
    Unauthorized,
)
from mini_agent.events import Event, Stopped
from mini_agent.messages import user
from mini_agent.remote.client import RunLost, ShimClient, build_lost_result
from mini_agent.remote.schema import AgentRunRequest
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.agent.checked_run import wait_until
from tests.shim.scripted import ScriptedModel, SilentModel, program_turn, text_turn
from tests.shim.serving import serve_app

ECHO = AgentRunRequest(messages=[user("hi")], model="a/b", tool_backend="echo")


def answering(answer: Callable[[Request], Awaitable[Response]]) -> Starlette:
    return Starlette(routes=[Route("/agent/run", answer, methods=["POST"])])


async def test_a_run_comes_back_as_the_result_it_was() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([text_turn("hey")]))
    with serve_app(app) as url:
        result = await ShimClient(f"{url}/").run(ECHO)
    assert (result.final_answer, result.used_model) == ("hey", "a/b")


async def test_the_token_is_sent() -> None:
    app = create_app(
        ShimSettings(shim_token=SecretStr("s")), model=ScriptedModel([text_turn("hey")])
    )
    with serve_app(app) as url:
        assert (await ShimClient(url, "s").run(ECHO)).final_answer == "hey"
        with pytest.raises(Unauthorized, match="missing or wrong"):
            await ShimClient(url).run(ECHO)


async def test_what_the_shim_refuses_is_a_bad_request() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    asked = ECHO.model_copy(update={"model": ""})
    with serve_app(app) as url, pytest.raises(BadRequest, match="LITELLM_DEFAULT_CODE_MODEL"):
        await ShimClient(url).run(asked)


async def test_a_shim_without_a_sandbox_is_told_as_such() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    asked = ECHO.model_copy(update={"tool_backend": "auto"})
    with serve_app(app) as url, pytest.raises(SandboxUnavailable, match="no sidecar"):
        await ShimClient(url).run(asked)


async def test_a_shim_that_is_not_there_is_told_with_what_starts_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(ShimUnavailable, match=f"127.0.0.1:{port} does not answer") as raised:
        await ShimClient(f"http://127.0.0.1:{port}").run(ECHO)
    assert "make up" in raised.value.hint


@pytest.mark.parametrize("status", [HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_GATEWAY])
async def test_something_else_that_answers_there_is_not_taken_for_the_shim(status: int) -> None:
    async def page(request: Request) -> Response:
        del request
        return PlainTextResponse("<html>", status_code=status)

    with serve_app(answering(page)) as url, pytest.raises(ShimUnavailable, match=url):
        await ShimClient(url).run(ECHO)


async def test_a_run_that_began_and_broke_is_lost_not_to_be_repeated() -> None:
    async def breaks(request: Request) -> Response:
        del request
        short = JSONResponse({})
        short.headers["Content-Length"] = "100"
        return short

    middle = pytest.raises(RunLost, match="in the middle of the run")
    with serve_app(answering(breaks)) as url, middle as raised:
        await ShimClient(url).run(ECHO)
    result = build_lost_result(ECHO, raised.value)
    assert (result.stopped_reason, result.answer_source) == ("error", "notice")
    assert "lost" in result.final_answer


async def test_an_unforeseen_failure_over_there_is_a_lost_run_too() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    app.router.routes.clear()
    app.add_api_route("/agent/run", _fails, methods=["POST"])
    with serve_app(app) as url, pytest.raises(RunLost, match="the shim failed: ZeroDivisionError"):
        await ShimClient(url).run(ECHO)


async def _fails() -> None:
    raise ZeroDivisionError


async def test_giving_up_on_a_run_ends_it_over_there() -> None:
    model = SilentModel()
    with serve_app(create_app(ShimSettings(), model=model)) as url:
        running = asyncio.create_task(ShimClient(url).run(ECHO))
        await wait_until(model.asked.is_set)
        running.cancel()
        await asyncio.wait({running})
        await wait_until(model.cancelled.is_set)


async def told(url: str) -> list[Event]:
    return [event async for event in ShimClient(url).events(ECHO)]


async def test_a_run_is_told_as_it_happens_its_result_last() -> None:
    model = ScriptedModel([program_turn("hi", tool="echo"), text_turn("hey")])
    with serve_app(create_app(ShimSettings(), model=model)) as url:
        events = await told(url)
    assert [event.kind for event in events] == [
        "run_started",
        "model_asked",
        "model_replied",
        "calls_understood",
        "call_repaired",
        "tool_started",
        "tool_finished",
        "observation",
        "model_asked",
        "model_replied",
        "stopped",
    ]
    last = events[-1]
    assert isinstance(last, Stopped)
    assert last.result.final_answer == "hey"


async def test_events_come_while_the_run_goes_on_and_leaving_them_ends_it() -> None:
    model = SilentModel()
    with serve_app(create_app(ShimSettings(), model=model)) as url:
        async with aclosing(ShimClient(url).events(ECHO)) as events:
            kinds = [(await anext(events)).kind for _ in range(2)]
            assert not model.cancelled.is_set()
        await wait_until(model.cancelled.is_set)
    assert kinds == ["run_started", "model_asked"]


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"model": ""}, BadRequest, "LITELLM_DEFAULT_CODE_MODEL"),
        ({"tool_backend": "docker"}, BadRequest, "not available in the shim"),
        ({"messages": [{"role": "wizard", "content": "hi"}]}, BadRequest, "wizard"),
        ({"tool_backend": "auto"}, SandboxUnavailable, "no sidecar"),
    ],
)
async def test_what_is_wrong_before_the_run_is_raised_as_without_events(
    changed: dict[str, object], kind: type[MiniAgentError], said: str
) -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    asked = ECHO.model_copy(update=changed)
    with serve_app(app) as url, pytest.raises(kind, match=said):
        await anext(ShimClient(url).events(asked))


async def test_without_a_shim_there_are_no_events() -> None:
    with pytest.raises(ShimUnavailable, match="does not answer"):
        await told("http://127.0.0.1:9")


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_an_answer_that_is_no_stream_is_not_taken_for_the_shim(kind: str) -> None:
    async def page(request: Request) -> Response:
        del request
        return Response("{}", media_type=kind)

    with serve_app(answering(page)) as url, pytest.raises(ShimUnavailable, match=url):
        await told(url)


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        ("", "without a result"),
        (": alive\n\n", "without a result"),
        ("event: party\ndata: {}\n\n", "something unknown"),
        ("event: stopped\ndata: nonsense\n\n", "something unknown"),
    ],
)
async def test_a_stream_without_a_result_is_a_lost_run(stream: str, said: str) -> None:
    async def streams(request: Request) -> Response:
        del request
        return Response(stream, media_type="text/event-stream")

    with serve_app(answering(streams)) as url, pytest.raises(RunLost, match=said):
        await told(url)


async def test_a_shim_that_dies_in_the_middle_is_a_lost_run() -> None:
    async def dies(request: Request) -> Response:
        del request
        return Response(
            ": alive\n\n", media_type="text/event-stream", headers={"Content-Length": "99"}
        )

    with (
        serve_app(answering(dies)) as url,
        pytest.raises(RunLost, match="in the middle of the run"),
    ):
        await told(url)


async def test_a_run_asked_for_whole_comes_whole_whatever_the_request_says() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([text_turn("hey")]))
    with serve_app(app) as url:
        result = await ShimClient(url).run(ECHO.model_copy(update={"stream": True}))
    assert result.final_answer == "hey"

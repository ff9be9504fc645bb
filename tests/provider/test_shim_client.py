"""A whole run over HTTP: what the caller of the shim gets to see."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from mini_agent.errors import BadRequest, SandboxUnavailable, ShimUnavailable, Unauthorized
from mini_agent.messages import user
from mini_agent.shim_client import RunLost, ShimClient, lost_run
from mini_agent.wire import AgentRunRequest
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import ScriptedModel, SilentModel, says
from tests.shim.serving import served

ECHO = AgentRunRequest(messages=[user("hi")], model="a/b", tool_backend="echo")


def answering(answer: Callable[[Request], Awaitable[Response]]) -> Starlette:
    return Starlette(routes=[Route("/agent/run", answer, methods=["POST"])])


async def test_a_run_comes_back_as_the_result_it_was() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([says("hey")]))
    with served(app) as url:
        result = await ShimClient(f"{url}/").run(ECHO)
    assert (result.final_answer, result.used_model) == ("hey", "a/b")


async def test_the_token_is_sent() -> None:
    app = create_app(ShimSettings(shim_token=SecretStr("s")), model=ScriptedModel([says("hey")]))
    with served(app) as url:
        assert (await ShimClient(url, "s").run(ECHO)).final_answer == "hey"
        with pytest.raises(Unauthorized, match="missing or wrong"):
            await ShimClient(url).run(ECHO)


async def test_what_the_shim_refuses_is_a_bad_request() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    asked = ECHO.model_copy(update={"model": ""})
    with served(app) as url, pytest.raises(BadRequest, match="LITELLM_DEFAULT_CODE_MODEL"):
        await ShimClient(url).run(asked)


async def test_a_shim_without_a_sandbox_is_told_as_such() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    asked = ECHO.model_copy(update={"tool_backend": "auto"})
    with served(app) as url, pytest.raises(SandboxUnavailable, match="no sidecar"):
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

    with served(answering(page)) as url, pytest.raises(ShimUnavailable, match=url):
        await ShimClient(url).run(ECHO)


async def test_a_run_that_began_and_broke_is_lost_not_to_be_repeated() -> None:
    async def breaks(request: Request) -> Response:
        del request
        short = JSONResponse({})
        short.headers["Content-Length"] = "100"
        return short

    middle = pytest.raises(RunLost, match="in the middle of the run")
    with served(answering(breaks)) as url, middle as raised:
        await ShimClient(url).run(ECHO)
    result = lost_run(ECHO, raised.value)
    assert (result.stopped_reason, result.answer_source) == ("error", "notice")
    assert "lost" in result.final_answer


async def test_an_unforeseen_failure_over_there_is_a_lost_run_too() -> None:
    app = create_app(ShimSettings(), model=ScriptedModel([]))
    app.router.routes.clear()
    app.add_api_route("/agent/run", _fails, methods=["POST"])
    with served(app) as url, pytest.raises(RunLost, match="the shim failed: ZeroDivisionError"):
        await ShimClient(url).run(ECHO)


async def _fails() -> None:
    raise ZeroDivisionError


async def test_giving_up_on_a_run_ends_it_over_there() -> None:
    model = SilentModel()
    with served(create_app(ShimSettings(), model=model)) as url:
        running = asyncio.create_task(ShimClient(url).run(ECHO))
        await asyncio.wait({running}, timeout=1)
        assert model.asked.is_set()
        running.cancel()
        await asyncio.wait({running})
        await asyncio.sleep(0.5)
        assert model.cancelled.is_set()

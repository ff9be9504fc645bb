"""A run happens once, whatever comes of it and however often LiteLLM would try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import JsonValue
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import mini_agent.provider.run
from mini_agent.result import AgentResult
from mini_agent.testing import ScriptedServer, call, garbage, hang, server_error
from mini_agent.testing.replies import ScriptedReply
from tests.provider.engine import container, engine_with
from tests.shim.serving import serve_app

HI = [{"role": "user", "content": "Count."}]
NOWHERE = "http://127.0.0.1:9"
LOCAL = {"tool_backend": "local", "target_model": "ollama/m"}

pytestmark = pytest.mark.usefixtures("_closing")


def counting(folder: Path) -> ScriptedReply:
    """A call with an effect: a line more in a file."""
    return call("exec_python", code=f"print('x', file=open({str(folder / 'times')!r}, 'a'))")


def times(folder: Path) -> int:
    return len((folder / "times").read_text().splitlines())


def router(litellm: ModuleType, address: str, **parameters: JsonValue) -> object:
    asked = {"model": "mini-agent", "api_base": address, **LOCAL, **parameters}
    deployments = [{"model_name": "agent", "litellm_params": dict(asked)} for _ in range(2)]
    return litellm.Router(model_list=deployments, num_retries=2, retry_after=0)


ENDS: dict[str, tuple[list[ScriptedReply | str], dict[str, JsonValue], str]] = {
    "a model server that fails": ([server_error("kaput")] * 2, {}, "error"),
    "a model server that is none": ([garbage()] * 2, {}, "error"),
    "its time": ([hang()], {"max_seconds": 1}, "budget"),
    "the timeout of the router's deployment": ([hang()], {"timeout": 1}, "budget"),
    "its turns": (["", ""], {"max_iterations": 1}, "max_iterations"),
}


@pytest.mark.parametrize("end", ENDS)
async def test_a_run_that_ends_early_is_not_repeated(
    litellm: ModuleType, tmp_path: Path, end: str
) -> None:
    script, parameters, reason = ENDS[end]
    with ScriptedServer([counting(tmp_path), *script], repeat_last=True) as server:
        response = await router(litellm, server.url, **parameters).acompletion(  # type: ignore[attr-defined]
            model="agent", messages=HI
        )
    assert times(tmp_path) == 1
    assert response.mini_agent["stopped_reason"] == reason
    assert response.choices[0].message.content.strip()


@pytest.mark.parametrize("end", ENDS)
def test_nor_is_one_for_plain_code(litellm: ModuleType, tmp_path: Path, end: str) -> None:
    script, parameters, reason = ENDS[end]
    with ScriptedServer([counting(tmp_path), *script], repeat_last=True) as server:
        response = router(litellm, server.url, **parameters).completion(  # type: ignore[attr-defined]
            model="agent", messages=HI
        )
    assert times(tmp_path) == 1
    assert response.mini_agent["stopped_reason"] == reason


@pytest.mark.parametrize("end", ENDS)
async def test_nor_is_a_stream(litellm: ModuleType, tmp_path: Path, end: str) -> None:
    script, parameters, _ = ENDS[end]
    with ScriptedServer([counting(tmp_path), *script], repeat_last=True) as server:
        stream = await router(litellm, server.url, **parameters).acompletion(  # type: ignore[attr-defined]
            model="agent", messages=HI, stream=True
        )
        chunks = [chunk async for chunk in stream]
    assert times(tmp_path) == 1
    assert chunks[-1].choices[0].finish_reason == "length"


async def breaking(*run: object) -> AgentResult:
    raise ZeroDivisionError("an oversight")


async def test_a_fault_of_the_agents_own_ends_a_run_in_words(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mini_agent.provider.run, "run_agent", breaking)
    response = await router(litellm, NOWHERE).acompletion(model="agent", messages=HI)  # type: ignore[attr-defined]
    assert "ZeroDivisionError: an oversight" in response.choices[0].message.content
    assert response.mini_agent["stopped_reason"] == "error"


async def test_and_so_it_ends_a_stream(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mini_agent.provider.run, "run_agent", breaking)
    stream = await router(litellm, NOWHERE).acompletion(  # type: ignore[attr-defined]
        model="agent", messages=HI, stream=True
    )
    said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert "ZeroDivisionError: an oversight" in said


@pytest.fixture
def asked_of_the_shim(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is asked of a shim that begins every run and breaks off in the middle of it."""
    asked: list[str] = []

    async def breaks_off(request: Request) -> Response:
        asked.append(request.url.path)
        streams = "stream" in (await request.json())
        kind = "text/event-stream" if streams else "application/json"
        return Response(b": alive\n\n", media_type=kind, headers={"Content-Length": "1000"})

    app = Starlette(routes=[Route("/agent/run", breaks_off, methods=["POST"])])
    with serve_app(app) as shim:
        found = container(published=("127.0.0.1", shim.rpartition(":")[2]))
        with serve_app(engine_with("the-shim", found)) as engine:
            monkeypatch.setenv("DOCKER_HOST", engine.replace("http:", "tcp:"))
            monkeypatch.setenv("LITELLM_MINI_AGENT_DOCKER_CONTAINER", "the-shim")
            yield asked


async def test_a_run_that_was_lost_over_there_is_not_begun_again(
    litellm: ModuleType, asked_of_the_shim: list[str]
) -> None:
    response = await router(litellm, NOWHERE, tool_backend="docker").acompletion(  # type: ignore[attr-defined]
        model="agent", messages=HI
    )
    assert "The run was lost" in response.choices[0].message.content
    assert asked_of_the_shim == ["/agent/run"]


async def test_nor_is_a_stream_that_was_lost(
    litellm: ModuleType, asked_of_the_shim: list[str]
) -> None:
    stream = await router(litellm, NOWHERE, tool_backend="docker").acompletion(  # type: ignore[attr-defined]
        model="agent", messages=HI, stream=True
    )
    said = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert "The run was lost" in said
    assert asked_of_the_shim == ["/agent/run"]

"""`tool_backend`: one place or several joined, the same through every door."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from mini_agent.agent.tool_backends import SHIM_ONLY, resolve_backend, translate_backend_for_shim
from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.events import RunStarted
from mini_agent.messages import user
from mini_agent.provider.parameters import LiteLLMCall
from mini_agent.provider.run import ProviderRun, prepare_run
from mini_agent.remote.schema import AgentRunRequest, split_tool_backend
from mini_agent.settings import Settings
from mini_agent.testing import ScriptedReply, ScriptedServer, call
from tests.cli.test_run import command, environment
from tests.shim.scripted import ScriptedModel, open_client, text_turn
from tests.shim.serving import serve_app
from tests.tools.gateway import Gateway

KEYS = ("PPLX_API_KEY", "C7_API_BASE", "MINI_AGENT_MCP_CONFIG", "MINI_AGENT_TOOL_HTTP_BASE_URL")


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, "MINI_AGENT_SIDECAR_URL", "LITELLM_MINI_AGENT_DOCKER_CONTAINER"):
        monkeypatch.delenv(name, raising=False)


def asked(backend: object, **fields: object) -> AgentRunRequest:
    return AgentRunRequest.model_validate(
        {"messages": [user("Go.")], "tool_backend": backend, **fields}
    )


def run_of(backend: object, **parameters: object) -> ProviderRun:
    named = {"target_model": "ollama/m", "tool_backend": backend, **parameters}
    return prepare_run(LiteLLMCall("default", [user("Go.")], named))


async def tools_of(run: ProviderRun) -> tuple[str, ...]:
    (started,) = [event async for event in run.events() if isinstance(event, RunStarted)]
    return started.tools


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("echo", "echo"),
        ("auto+research", "auto+research"),
        (" sidecar + http ", "sidecar+http"),
        (["local", "mcp", "local"], "local+mcp"),
        (["http"], "http"),
    ],
)
def test_places_are_joined_with_plus_or_listed(given: object, meant: str) -> None:
    backend = asked(given).tool_backend
    assert backend == meant
    assert split_tool_backend(backend) == tuple(meant.split("+"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("cloud", "'cloud' is none of auto, docker, sidecar, local, http, mcp, research, echo"),
        ("", "'' is none of"),
        ("sidecar,research", r"joined with \+, such as auto\+research"),
        ("echo+", "'' is none of"),
        ([], "names no place"),
        ([{"command": "sh"}], r"\{'command': 'sh'\} is none of"),
        ("sidecar+local", "sidecar and local both run the programs"),
        ("auto+docker", "auto and docker both run the programs"),
        (7, "valid string"),
    ],
)
def test_what_names_no_place_is_refused_and_says_what_there_is(given: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        asked(given)


def test_a_container_does_the_whole_run_with_all_that_is_joined() -> None:
    assert resolve_backend("auto+research", "shim", Settings()) == SHIM_ONLY
    assert resolve_backend("http+docker", "shim", Settings()) == SHIM_ONLY
    assert translate_backend_for_shim("http+docker") == "http+auto"
    assert translate_backend_for_shim("auto+research") == "auto+research"


async def test_the_shim_is_asked_for_the_same_places(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[str] = []

    async def refuses(request: Request) -> Response:
        bodies.append((await request.json())["tool_backend"])
        error = {"code": "bad_request", "message": "no"}
        return JSONResponse({"error": error}, status_code=400)

    with serve_app(Router([Route("/agent/run", refuses, methods=["POST"])])) as url:
        monkeypatch.setattr("mini_agent.provider.run.find_shim_address", lambda _: url)
        with pytest.raises(BadRequest, match="no"):
            await run_of("docker+research", docker_container="shim").result()
    assert bodies == ["auto+research"]


@pytest.mark.usefixtures("_closing")
async def test_the_tools_of_all_places_are_offered_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PPLX_API_KEY", "k")
    with Gateway().served() as url, ScriptedServer(["Done."]) as server:
        there = {"api_base": server.url, "tool_http_base_url": url}
        tools = await tools_of(run_of("research+http+local+echo", **there))
    assert tools[:2] == ("research_perplexity", "search_docs")
    assert {"exec_python", "exec_shell"} <= set(tools)
    assert tools[-1] == "echo"


@pytest.mark.usefixtures("_closing")
async def test_a_call_goes_to_the_place_whose_tool_it_names() -> None:
    gateway = Gateway()
    both: list[ScriptedReply | str] = [
        call("search_docs", query="x"),
        call("echo", text="hi"),
        "Done.",
    ]
    with gateway.served() as url, ScriptedServer(both) as server:
        there = {"api_base": server.url, "tool_http_base_url": url}
        result = await run_of(["http", "echo"], **there).result()
    assert [each.stdout for turn in result.iterations for each in turn.tool_invocations] == [
        "ok",
        "hi",
    ]
    assert gateway.invoked == [{"name": "search_docs", "arguments": {"query": "x"}}]


@pytest.mark.parametrize(
    ("backend", "field", "why"),
    [
        ("http", "tool_http_base_url", "MINI_AGENT_TOOL_HTTP_BASE_URL"),
        ("echo+http", "tool_http_base_url", "MINI_AGENT_TOOL_HTTP_BASE_URL"),
        ("research", "tool_backend", "PPLX_API_KEY"),
        ("echo+research", "tool_backend", "C7_API_BASE"),
        ("mcp", "tool_backend", "MINI_AGENT_MCP_CONFIG"),
        ("sidecar+research", "tool_backend", "MINI_AGENT_SIDECAR_URL"),
        ("docker+echo", "docker_container", "LITELLM_MINI_AGENT_DOCKER_CONTAINER"),
    ],
)
def test_a_place_that_is_not_set_up_is_refused_with_the_variable_that_does(
    backend: str, field: str, why: str
) -> None:
    with pytest.raises(NotConfigured, match=why) as raised:
        run_of(backend)
    assert raised.value.field == field


@pytest.mark.parametrize("backend", ["http", "research", "mcp", "echo+mcp", "docker"])
async def test_in_the_shim_it_is_a_400_before_the_model_is_asked(backend: str) -> None:
    model = ScriptedModel([])
    body = {"messages": [user("Go.")], "model": "a/b", "tool_backend": backend}
    async with open_client(model) as client:
        answer = await client.post("/agent/run", json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["hint"]
    assert model.requests == []


async def test_the_shim_joins_as_well() -> None:
    model = ScriptedModel([text_turn("Done.")])
    body = {"messages": [user("Go.")], "model": "a/b", "tool_backend": ["echo", "local"]}
    async with open_client(model) as client:
        answer = await client.post("/agent/run", json=body)
    assert answer.json()["final_answer"] == "Done."
    offered = str(model.requests[0].tools)
    assert "exec_python" in offered
    assert "echo" in offered


def test_the_command_joins_too_and_refuses_in_its_own_words(tmp_path: Path) -> None:
    with ScriptedServer([call("echo", text="hi"), "It said hi."]) as server:
        variables = environment(OLLAMA_HOST=server.url, LITELLM_DEFAULT_CODE_MODEL="ollama/m")
        ran, refused = (
            subprocess.run(
                command("Go.", "--backend", backend),
                env=variables,
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=150,
                check=False,
            )
            for backend in ("echo+local", "local+cloud")
        )
    assert (ran.stdout, ran.returncode) == ("It said hi.\n", 0)
    assert refused.returncode == 2
    assert "argument --backend: 'cloud' is none of auto, docker" in refused.stderr

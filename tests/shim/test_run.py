"""`POST /agent/run`: a run from its request to its answer, and what is refused."""

from __future__ import annotations

from http import HTTPStatus

import httpx
import pytest
from pydantic import SecretStr

from mini_agent.errors import Problem
from mini_agent.remote.schema import AgentRunRequest, AgentRunResponse
from mini_agent.tools.catalog import ECHO
from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import ScriptedModel, ScriptedSidecar, open_client, program_turn, text_turn
from tests.shim.serving import serve_app

HI = [{"role": "user", "content": "hi"}]


def problem(answer: httpx.Response, status: HTTPStatus) -> Problem:
    assert answer.status_code == status, answer.text
    said = Problem.model_validate_json(answer.content)
    assert answer.headers["x-request-id"] == said.error.request_id
    return said


async def refusal(json: object, status: HTTPStatus, **settings: str) -> Problem:
    model = ScriptedModel([])
    async with open_client(model, ShimSettings.model_validate(settings)) as client:
        answer = await client.post("/agent/run", json=json)
    assert model.requests == []
    return problem(answer, status)


async def test_a_snippet_of_the_model_runs_in_the_sidecar() -> None:
    sidecar = ScriptedSidecar(prints="42\n")
    model = ScriptedModel([program_turn("print(6*7)"), text_turn("It is 42.")])
    with serve_app(sidecar.app()) as url:
        settings = ShimSettings(sidecar_url=url, sidecar_token=SecretStr("token"))
        async with open_client(model, settings) as client:
            answer = await client.post("/agent/run", json={"messages": HI, "model": "a/b"})
    run = AgentRunResponse.model_validate_json(answer.content)
    assert (run.ok, run.final_answer, run.stopped_reason) == (True, "It is 42.", "success")
    assert (run.answer_source, run.metrics.iterations, run.metrics.used_model) == (
        "model",
        2,
        "a/b",
    )
    assert run.messages[-1] == {"role": "assistant", "content": "It is 42."}
    assert run.last_tool_invocation is not None
    assert run.last_tool_invocation.stdout == "42\n"
    assert run.last_tool_invocation.execution is not None
    assert [snippet.code for snippet in sidecar.snippets] == ["print(6*7)"]


async def test_the_settings_of_a_run_reach_the_model() -> None:
    model = ScriptedModel([text_turn("hey")])
    asked = {
        "messages": HI,
        "model": "a/b",
        "tool_backend": "echo",
        "temperature": 0.5,
        "num_ctx": 4096,
        "max_tokens": 7,
        "seed": 3,
        "api_base": "http://x",
        "api_key": "k",
        "max_total_seconds": 90,
        "auto_run_code_on_code_block": True,
    }
    async with open_client(model) as client:
        answer = await client.post("/agent/run", json=asked)
    assert answer.status_code == HTTPStatus.OK, answer.text
    (request,) = model.requests
    assert (request.temperature, request.num_ctx) == (0.5, 4096)
    assert request.options == {"max_tokens": 7, "seed": 3, "api_base": "http://x", "api_key": "k"}
    assert 60 < request.timeout_s <= 90
    assert request.tools == [ECHO]


async def test_a_null_is_a_setting_that_is_not_there() -> None:
    model = ScriptedModel([text_turn("hey")])
    required = {"messages": HI, "model": "a/b", "tool_backend": "echo"}
    nulls = dict.fromkeys(set(AgentRunRequest.model_fields) - set(required))
    async with open_client(model) as client:
        answer = await client.post("/agent/run", json=nulls | required)
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert answer.json()["final_answer"] == "hey"


async def test_without_a_model_the_shims_default_is_asked() -> None:
    model = ScriptedModel([text_turn("hey")])
    settings = ShimSettings(code_model="ollama/coder", model="openai/other")
    async with open_client(model, settings) as client:
        await client.post("/agent/run", json={"messages": HI, "tool_backend": "echo"})
    assert model.requests[0].model == "ollama/coder"


async def test_tools_can_be_left_out() -> None:
    model = ScriptedModel([text_turn("hey")])
    async with open_client(model) as client:
        asked = {"messages": HI, "model": "a/b", "tool_backend": "local", "use_tools": False}
        await client.post("/agent/run", json=asked)
    assert model.requests[0].tools == []


@pytest.mark.parametrize(
    ("asked", "set_up"),
    [({"allowed_languages": "go"}, ""), ({}, "go"), ({"allowed_languages": ["go"]}, "python")],
)
async def test_languages_that_are_not_allowed_have_no_tool(
    asked: dict[str, object], set_up: str
) -> None:
    model = ScriptedModel([text_turn("hey")])
    settings = ShimSettings(sidecar_url="http://127.0.0.1:9", languages=set_up)
    async with open_client(model, settings) as client:
        await client.post("/agent/run", json={"messages": HI, "model": "a/b", **asked})
    named = str(model.requests[0].tools)
    assert "exec_go" in named
    assert "exec_python" not in named


async def test_a_run_that_fails_is_an_answer() -> None:
    async with open_client(ScriptedModel([])) as client:
        asked = {"messages": HI, "model": "a/b", "tool_backend": "echo"}
        answer = await client.post("/agent/run", json=asked)
    run = AgentRunResponse.model_validate_json(answer.content)
    assert (run.ok, run.stopped_reason) == (True, "error")
    assert run.error
    assert run.final_answer


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("messages", []),
        ("messages", "hi"),
        ("messages", [1]),
        ("max_iterations", "many"),
        ("max_iterations", 0),
        ("max_wallclock_seconds", 0),
        ("temperature", 3),
        ("tool_backend", "cloud"),
        ("allowed_languages", ["cobol"]),
        ("seed", 1.5),
        ("surprise", 1),
    ],
)
async def test_a_wrong_field_is_422_and_named(field: str, value: object) -> None:
    said = await refusal(
        {"messages": HI, "model": "a/b", field: value}, HTTPStatus.UNPROCESSABLE_ENTITY
    )
    assert said.error.code == "invalid_request"
    assert said.error.message.startswith(field)


async def test_a_language_nobody_has_is_told_with_those_there_are() -> None:
    said = await refusal(
        {"messages": HI, "allowed_languages": "cobol"}, HTTPStatus.UNPROCESSABLE_ENTITY
    )
    assert "'cobol'; known: bash, c, cpp, go, node" in said.error.message


@pytest.mark.parametrize("body", ['{"messages": [', "nonsense", "{'messages': []}"])
async def test_malformed_json_is_400(body: str) -> None:
    async with open_client(ScriptedModel([])) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post("/agent/run", content=body, headers=headers)
    assert problem(answer, HTTPStatus.BAD_REQUEST).error.code == "malformed_json"


async def test_half_a_json_document_is_400_and_says_where_it_breaks() -> None:
    async with open_client(ScriptedModel([])) as client:
        headers = {"Content-Type": "application/json"}
        answer = await client.post("/agent/run", content='{"messages": [', headers=headers)
    said = problem(answer, HTTPStatus.BAD_REQUEST)
    assert said.error.code == "malformed_json"
    assert "at byte 14" in said.error.message


async def test_no_model_anywhere_is_400_and_names_the_variables() -> None:
    said = await refusal({"messages": HI, "tool_backend": "echo"}, HTTPStatus.BAD_REQUEST)
    assert said.error.code == "not_configured"
    assert "LITELLM_DEFAULT_CODE_MODEL or LITELLM_DEFAULT_MODEL" in said.error.hint


async def test_a_backend_that_is_elsewhere_is_400_and_lists_what_there_is() -> None:
    asked = {"messages": HI, "model": "a/b", "tool_backend": "docker"}
    said = await refusal(asked, HTTPStatus.BAD_REQUEST)
    assert "'docker'" in said.error.message
    assert "sidecar, local, http, mcp, research and echo" in said.error.hint


async def test_a_gateway_of_tools_without_an_address_is_400_and_says_how_to_give_it() -> None:
    asked = {"messages": HI, "model": "a/b", "tool_backend": "http"}
    said = await refusal(asked, HTTPStatus.BAD_REQUEST)
    assert said.error.code == "not_configured"
    assert "tool_http_base_url, or set MINI_AGENT_TOOL_HTTP_BASE_URL" in said.error.hint


async def test_a_message_no_model_can_take_is_400() -> None:
    asked = {
        "messages": [{"role": "wizard", "content": "hi"}],
        "model": "a/b",
        "tool_backend": "echo",
    }
    said = await refusal(asked, HTTPStatus.BAD_REQUEST)
    assert "wizard" in said.error.message


async def test_no_sidecar_is_503_and_may_be_tried_again() -> None:
    said = await refusal({"messages": HI, "model": "a/b"}, HTTPStatus.SERVICE_UNAVAILABLE)
    assert said.error.retryable
    assert "MINI_AGENT_SIDECAR_URL" in said.error.hint


async def test_a_sidecar_token_that_is_not_there_yet_is_503() -> None:
    said = await refusal(
        {"messages": HI, "model": "a/b"},
        HTTPStatus.SERVICE_UNAVAILABLE,
        sidecar_url="http://127.0.0.1:9",
        sidecar_token_file="/nowhere/token",
    )
    assert "/nowhere/token" in said.error.message


@pytest.mark.parametrize(("method", "path"), [("GET", "/nowhere"), ("GET", "/agent/run")])
async def test_what_is_not_there_is_a_problem_too(method: str, path: str) -> None:
    async with open_client(ScriptedModel([])) as client:
        answer = await client.request(method, path)
    assert answer.is_client_error
    assert Problem.model_validate_json(answer.content).error.hint

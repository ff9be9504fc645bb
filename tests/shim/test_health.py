"""Alive, ready, and what the API says about itself."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent.errors import Problem
from mini_agent_shim.settings import ShimSettings
from tests.shim.scripted import ScriptedModel, ScriptedSidecar, open_client
from tests.shim.serving import serve_app


async def test_healthz_needs_nothing_else_to_be_up() -> None:
    async with open_client(ScriptedModel([])) as client:
        answer = await client.get("/healthz")
    said = answer.json()
    assert answer.status_code == HTTPStatus.OK
    assert (said["ok"], sorted(said)) == (True, ["ok", "started_at", "uptime_s", "version"])


async def test_ready_is_the_sidecars_readiness_and_asks_no_model() -> None:
    model = ScriptedModel([])
    with serve_app(ScriptedSidecar().app()) as url:
        async with open_client(model, ShimSettings(sidecar_url=url)) as client:
            answer = await client.get("/ready")
    assert (answer.status_code, answer.json(), model.requests) == (200, {"ok": True}, [])


async def test_a_sidecar_that_is_not_ready_is_503_with_its_reason() -> None:
    with serve_app(ScriptedSidecar(ready=False).app()) as url:
        async with open_client(ScriptedModel([]), ShimSettings(sidecar_url=url)) as client:
            answer = await client.get("/ready")
    said = Problem.model_validate_json(answer.content).error
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "the engine is away" in said.message
    assert (said.hint, said.retryable) == ("start it", True)


async def test_a_sidecar_that_is_away_is_503_with_what_starts_it() -> None:
    settings = ShimSettings(sidecar_url="http://127.0.0.1:9")
    async with open_client(ScriptedModel([]), settings) as client:
        answer = await client.get("/ready")
    said = Problem.model_validate_json(answer.content).error
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert "http://127.0.0.1:9 does not answer" in said.message
    assert "make up" in said.hint


async def test_a_token_that_is_not_there_is_503() -> None:
    settings = ShimSettings.model_validate(
        {"sidecar_url": "http://127.0.0.1:9", "sidecar_token_file": "/nowhere/token"}
    )
    async with open_client(ScriptedModel([]), settings) as client:
        answer = await client.get("/ready")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE


async def test_the_api_describes_itself() -> None:
    async with open_client(ScriptedModel([])) as client:
        described = (await client.get("/openapi.json")).json()
    assert set(described["paths"]) == {
        "/agent/run",
        "/healthz",
        "/metrics",
        "/ready",
        "/runs",
        "/runs/{run_id}",
        "/runs/{run_id}/artifacts",
        "/runs/{run_id}/artifacts/{number}",
        "/runs/{run_id}/bundle",
        "/runs/{run_id}/cancel",
        "/runs/{run_id}/events",
        "/status",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/responses",
    }
    assert "AgentRunRequest" in described["components"]["schemas"]
    answers = set(described["paths"]["/agent/run"]["post"]["responses"])
    assert answers == {"200", "202", "400", "401", "403", "408", "409", "413", "422", "429", "503"}

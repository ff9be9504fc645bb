"""Sessions: how many, for how long, for whom, and with which limits."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pydantic import JsonValue

from tests.sidecar.conftest import Opened
from tests.sidecar.scripted_engine import ScriptedEngine
from tests.sidecar.scripted_session import SessionRunner
from tests.sidecar.session_client import Client, open_session, said


async def test_a_runner_enforces_the_deadline_of_a_sessions_snippet_exactly(
    session: Client, runner: SessionRunner
) -> None:
    await session.run("print x", limits={"timeout_s": 7})
    assert runner.orders[0].timeout_s == 7


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"memory_mb": 300}, "limits.memory_mb"),
        ({"cpus": 2}, "limits.cpus"),
        ({"pids": 64}, "limits.pids"),
        ({"workspace_mb": 32}, "limits.workspace_mb"),
    ],
)
async def test_a_limit_that_needs_another_sandbox_is_refused_by_name(
    session: Client, limits: JsonValue, field: str
) -> None:
    await session.run("print x")
    answer = await session.post("print y", limits=limits)
    assert answer.status_code == 422
    assert field in answer.json()["error"]["message"]
    assert (await session.run("print y", limits={"timeout_s": 3, "output_bytes": 9})).status == "ok"


async def test_the_limits_of_a_session_hold_where_a_snippet_says_nothing(
    runner: SessionRunner, client: httpx.AsyncClient
) -> None:
    session = await open_session(client, limits={"memory_mb": 512, "timeout_s": 3})
    first = await session.run("print x")
    second = await session.run("print x", limits={"timeout_s": 4, "memory_mb": 512})
    assert (first.limits.memory_mb, first.limits.timeout_s) == (512, 3)
    assert (second.limits.memory_mb, second.limits.timeout_s) == (512, 4)


async def test_a_session_that_could_never_have_a_sandbox_is_not_opened(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/sessions", json={"limits": {"cpus": 60}})
    assert said(answer) == (422, "bad_request")


async def test_a_closed_session_is_gone_with_its_sandboxes(
    opened: Opened, engine: ScriptedEngine, runner: SessionRunner
) -> None:
    async with opened() as client:
        session = await open_session(client)
        await session.run("print x")
        assert (await client.delete(session.path)).status_code == 204
        assert said(await client.delete(session.path)) == (404, "no_session")
        assert said(await session.post("print y")) == (404, "no_session")
    removed = [call for call in engine.calls if call.startswith("DELETE")]
    assert len(removed) == 1


async def test_a_session_that_nobody_calls_expires_and_one_that_is_busy_does_not(
    client: httpx.AsyncClient, runner: SessionRunner
) -> None:
    session = await open_session(client, ttl_s=1)
    running = asyncio.create_task(session.run("wait"))
    await asyncio.sleep(1.7)
    assert (await client.get(session.path)).status_code == 200
    runner.go_on.set()
    await running
    async with asyncio.timeout(30):
        while (await client.get(session.path)).status_code == 200:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert said(await client.get(session.path)) == (404, "no_session")


async def test_a_session_that_is_kept_lasts_longer(
    client: httpx.AsyncClient, runner: SessionRunner
) -> None:
    session = await open_session(client, ttl_s=2)
    for _ in range(3):
        await asyncio.sleep(0.9)
        assert (await client.post(f"{session.path}/keep")).status_code == 204


async def test_no_more_sessions_are_opened_than_may_be(
    opened: Opened, runner: SessionRunner
) -> None:
    async with opened(sessions=1) as client:
        first = await open_session(client)
        refused = await client.post("/v1/sessions")
        assert said(refused) == (429, "busy")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        await client.delete(first.path)
        assert (await client.post("/v1/sessions")).status_code == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/execute"),
        ("POST", "/interrupt"),
        ("POST", "/keep"),
        ("GET", "/files"),
        ("GET", "/files/a"),
        ("PUT", "/files/a"),
        ("DELETE", "/files/a"),
    ],
)
async def test_an_id_that_nobody_was_given_opens_nothing(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, f"/v1/sessions/guessed{path}")
    assert said(answer) == (404, "no_session")
    without_token = await client.request(
        method, f"/v1/sessions/guessed{path}", headers={"Authorization": ""}
    )
    assert said(without_token) == (401, "unauthorized")


async def test_the_ids_of_sessions_cannot_be_guessed(client: httpx.AsyncClient) -> None:
    ids = {(await open_session(client)).path for _ in range(8)}
    assert len(ids) == 8
    assert min(map(len, ids)) >= len("/v1/sessions/") + 32


@pytest.mark.parametrize(
    ("snippet", "field"),
    [
        ({"language": "node", "stateful": True}, "stateful"),
        ({"language": "python", "stateful": True, "isolation": "spawn"}, "isolation"),
    ],
)
async def test_what_cannot_keep_its_variables_is_refused(
    session: Client, snippet: dict[str, JsonValue], field: str
) -> None:
    answer = await session.http.post(f"{session.path}/execute", json={"code": ""} | snippet)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(field)


async def test_variables_are_kept_in_sessions_alone(client: httpx.AsyncClient) -> None:
    snippet = {"language": "python", "code": "", "stateful": True}
    answer = await client.post("/v1/execute", json=snippet)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("stateful")


@pytest.mark.parametrize("name", ["a b", "é", "x" * 65, ""])
async def test_an_odd_name_for_a_caller_is_refused(client: httpx.AsyncClient, name: str) -> None:
    headers = {b"X-Caller": name.encode()}
    answer = await client.post(
        "/v1/execute", json={"language": "bash", "code": ""}, headers=headers
    )
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith("X-Caller")

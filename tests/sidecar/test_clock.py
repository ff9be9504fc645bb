"""A clock that is set anew ends nothing too early and keeps nothing too long."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.sidecar.scripted_engine import ScriptedEngine, prints
from tests.sidecar.scripted_session import SessionRunner
from tests.sidecar.session_client import Client

HOUR_S = 3600


@pytest.mark.parametrize("jump_s", [2 * HOUR_S, -2 * HOUR_S])
async def test_a_session_outlives_a_jump_of_the_clock(
    session: Client, runner: SessionRunner, monkeypatch: pytest.MonkeyPatch, jump_s: int
) -> None:
    await session.run("print x")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    assert (await session.http.get(session.path)).status_code == 200
    assert (await session.run("print y")).status == "ok"


@pytest.mark.parametrize("jump_s", [2 * HOUR_S, -2 * HOUR_S])
async def test_a_snippet_has_its_whole_time_after_a_jump_of_the_clock(
    client: httpx.AsyncClient,
    engine: ScriptedEngine,
    monkeypatch: pytest.MonkeyPatch,
    jump_s: int,
) -> None:
    engine.runner = prints("ran\n")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    answer = await client.post("/v1/execute", json={"language": "python", "code": ""})
    assert (answer.json()["status"], answer.json()["stdout"]) == ("ok", "ran\n")

"""An engine that is away, and a guard that has as much as it may have."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mini_agent_protocol.asgi.access_log import JsonFormatter
from tests.sidecar.guard.conftest import INSTANCE, Ask
from tests.sidecar.guard.create_bodies import body
from tests.sidecar.guard.guard_server import MOST
from tests.sidecar.guard.recording_engine import RecordingEngine
from tests.sidecar.guard.socket_client import request

NAME = "mini-agent-sandbox-000000000000000"
ONE = f"/containers/{NAME}0"
CALLS = (
    request("GET", "/_ping"),
    request("GET", "/info"),
    request("POST", f"{ONE}/start"),
    request("DELETE", f"{ONE}?force=1&v=1"),
)


def create(digit: int = 0) -> bytes:
    content = json.dumps(body(INSTANCE)).encode()
    return request("POST", f"/containers/create?name={NAME}{digit}", content)


async def test_an_engine_that_is_away_is_told_at_once_and_used_when_it_is_back(
    asked: Ask, engine: RecordingEngine
) -> None:
    await engine.stop()
    async with asyncio.timeout(30):
        replies = [await asked(sent) for sent in (*CALLS, create())]
    said = {(reply.status, reply.refusal().error.code) for reply in replies}
    assert said == {(502, "engine_unavailable")}
    assert all(reply.refusal().error.retryable for reply in replies)
    await engine.start()
    assert (await asked(request("GET", "/_ping"))).status == 200


async def test_the_engine_gets_the_body_that_the_template_makes(
    asked: Ask, engine: RecordingEngine
) -> None:
    spaced = json.dumps(body(INSTANCE), indent=8).encode()
    sent = request("POST", f"/containers/create?name={NAME}0", spaced, "Content-Type: text/x")
    assert (await asked(sent)).status == 200
    assert engine.asked() == [f"POST /v1.45/containers/create?name={NAME}0"]
    assert len(engine.bodies[-1]) < len(spaced)
    assert json.loads(engine.bodies[-1]) == json.loads(spaced)


async def test_no_more_sandboxes_exist_than_may(asked: Ask, engine: RecordingEngine) -> None:
    made = [(await asked(create(digit))).status for digit in range(MOST + 1)]
    assert made == [200] * MOST + [403]
    assert (await asked(request("DELETE", f"{ONE}?force=1&v=1"))).status == 200
    assert (await asked(create(9))).status == 200


async def test_a_creation_that_failed_does_not_count(asked: Ask, engine: RecordingEngine) -> None:
    engine.status = 500
    assert [(await asked(create(digit))).status for digit in range(5)] == [500] * 5
    engine.status = 201
    assert (await asked(create(5))).status == 201


async def test_nobody_else_may_speak_to_the_guard(guard: Path) -> None:
    mode = (await asyncio.to_thread(guard.stat)).st_mode
    assert oct(mode & 0o777) == "0o660"


async def test_a_refusal_is_a_line_of_the_log_without_the_body(
    asked: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    content = json.dumps(body(INSTANCE) | {"Env": ["SECRET=thing"]}).encode()
    await asked(request("POST", f"/containers/create?name={NAME}0", content))
    line = JsonFormatter().format(caplog.records[-1])
    assert json.loads(line) | {"time": ""} == {
        "time": "",
        "level": "warning",
        "event": "refused",
        "why": "refused_by_guard",
        "said": "a sandbox has another Env",
        "method": "POST",
        "path": "/containers/create",
    }

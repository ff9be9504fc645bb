"""So many at once, so many waiting, and what the log says of them."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import pytest

from codex_sidecar.execution import fair_queue
from mini_agent_protocol import frames
from mini_agent_protocol.asgi.access_log import JsonFormatter
from mini_agent_protocol.order import encode_result
from tests.sidecar.conftest import Opened
from tests.sidecar.scripted_engine import RunnerPeer, ScriptedEngine, result

SNIPPET = {"language": "python", "code": "print('a secret')"}


class Gate:
    """Snippets that end when they are let go."""

    def __init__(self) -> None:
        self.running = 0
        self._changed = asyncio.Condition()
        self._open = asyncio.Event()

    async def run(self, peer: RunnerPeer) -> None:
        """The runner's part."""
        await peer.receive_order()
        async with self._changed:
            self.running += 1
            self._changed.notify_all()
        await self._open.wait()
        peer.send(frames.RUNNING, b"")
        peer.send(frames.STDOUT, b"a secret")
        peer.send(frames.RESULT, encode_result(result()))

    async def until_running(self, count: int) -> None:
        """Returns when so many have begun."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.running >= count)

    def open(self) -> None:
        """Lets all of them end."""
        self._open.set()


async def test_who_finds_no_room_to_wait_is_told_when_to_come_back(
    opened: Opened, engine: ScriptedEngine
) -> None:
    gate = Gate()
    engine.runner = gate.run
    async with opened(at_once=1, waiting=0) as client:
        first = asyncio.create_task(client.post("/v1/execute", json=SNIPPET))
        await gate.until_running(1)
        refused = await client.post("/v1/execute", json=SNIPPET)
        gate.open()
        assert (await first).status_code == 200
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    error = refused.json()["error"]
    assert (error["code"], error["retryable"]) == ("busy", True)
    assert len(engine.created()) == 1


async def test_who_waits_is_served_when_another_is_done(
    opened: Opened, engine: ScriptedEngine
) -> None:
    gate = Gate()
    engine.runner = gate.run
    async with opened(at_once=1, waiting=1) as client:
        first = asyncio.create_task(client.post("/v1/execute", json=SNIPPET))
        await gate.until_running(1)
        second = asyncio.create_task(client.post("/v1/execute", json=SNIPPET))
        await asyncio.sleep(0.5)
        assert gate.running == 1
        gate.open()
        answers = [await first, await second]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].json()["timings_ms"]["queue"] > 40


async def test_who_waits_too_long_is_told_and_nothing_is_started(
    opened: Opened, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "MAX_WAIT_S", 0.05)
    gate = Gate()
    engine.runner = gate.run
    async with opened(at_once=1, waiting=1) as client:
        first = asyncio.create_task(client.post("/v1/execute", json=SNIPPET))
        await gate.until_running(1)
        refused = await client.post("/v1/execute", json=SNIPPET)
        gate.open()
        await first
    assert refused.status_code == 429
    assert "none was free for 0.05 s" in refused.json()["error"]["message"]
    assert len(engine.created()) == 1


async def test_the_log_tells_who_asked_and_what_came_of_it_but_no_code_and_no_output(
    opened: Opened, engine: ScriptedEngine
) -> None:
    gate = Gate()
    gate.open()
    engine.runner = gate.run
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonFormatter())
    log = logging.getLogger("codex_sidecar")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    async with opened() as client:
        await client.post("/v1/execute", json=SNIPPET, headers={"X-Request-Id": "r1"})
    log.removeHandler(handler)
    line = json.loads(lines.getvalue())
    assert (line["event"], line["request_id"], line["status"]) == ("request", "r1", 200)
    assert (line["language"], line["outcome"]) == ("python", "ok")
    assert "secret" not in lines.getvalue()

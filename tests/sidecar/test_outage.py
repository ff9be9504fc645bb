"""An engine that is away, refuses or lacks something, and one that comes back."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pydantic import JsonValue

from mini_agent_protocol import frames
from mini_agent_protocol.languages import LANGUAGES
from tests.sidecar.conftest import Opened
from tests.sidecar.scripted_engine import RunnerPeer, ScriptedEngine, prints

SNIPPET = {"language": "python", "code": "print(1)"}


async def test_an_engine_that_goes_is_told_and_one_that_comes_back_is_used(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    # The answer does not wait for the removal of what was tested in.
    while engine.left():  # noqa: ASYNC110 - it only notes calls
        await asyncio.sleep(0.01)
    await engine.stop()
    for answer in (await client.get("/readyz"), await client.post("/v1/execute", json=SNIPPET)):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (503, "engine_unavailable")
        assert error["retryable"] is True
    assert (await client.get("/healthz")).status_code == 200
    await engine.start()
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.post("/v1/execute", json=SNIPPET)).status_code == 200


async def test_a_sidecar_starts_before_its_engine_does(
    opened: Opened, engine: ScriptedEngine
) -> None:
    await engine.stop()
    async with opened() as client:
        assert (await client.get("/readyz")).status_code == 503
        await engine.start()
        assert (await client.get("/readyz")).status_code == 200


async def test_missing_images_are_named_with_the_command_that_makes_them(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.images -= {"mini-agent/sandbox-go:local", "mini-agent/sandbox-rust:local"}
    error = (await client.get("/readyz")).json()["error"]
    assert error["message"] == (
        "images are missing: mini-agent/sandbox-go:local, mini-agent/sandbox-rust:local"
    )
    assert error["hint"] == "run `make images`"


async def test_an_image_that_is_missing_when_it_is_needed_is_named_too(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.refusal = (404, "No such image")
    answer = await client.post("/v1/execute", json=SNIPPET)
    error = answer.json()["error"]
    assert (answer.status_code, error["hint"]) == (503, "run `make images`")
    assert "mini-agent/sandbox-python:local" in error["message"]


async def test_a_sandbox_that_sees_a_network_means_not_ready(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.runner = prints("no_network FAILS\nno more\n")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "confinement: not 'no_network holds'" in answer.json()["error"]["message"]


async def test_what_was_ready_is_tested_again_once_it_was_not(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    tested = len(engine.created())
    assert (await client.get("/readyz")).status_code == 200
    assert len(engine.created()) == tested
    images, engine.images = engine.images, set()
    assert (await client.get("/readyz")).status_code == 503
    engine.images = images
    assert (await client.get("/readyz")).status_code == 200
    assert len(engine.created()) == 2 * tested


async def test_a_runtime_that_the_engine_lacks_is_never_replaced(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened(runtime="runsc") as client:
        for answer in (await client.get("/readyz"), await client.post("/v1/execute", json=SNIPPET)):
            message = answer.json()["error"]["message"]
            assert message == "the engine has no runtime 'runsc'; it has: crun, runc"
    assert engine.created() == []


async def test_a_machine_that_cannot_limit_memory_runs_nothing(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.facts = {"MemoryLimit": False}
    answer = await client.post("/v1/execute", json=SNIPPET)
    assert answer.status_code == 503
    assert "it has no memory" in answer.json()["error"]["message"]


async def test_a_refusal_of_the_engine_is_our_failure_in_its_words(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.refusal = (500, "no space left on device")
    answer = await client.post("/v1/execute", json=SNIPPET)
    assert answer.status_code == 500
    assert "no space left on device" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "held",
    [
        {"Memory": 0},
        {"MemorySwap": 1 << 40},
        {"NanoCpus": 0},
        {"PidsLimit": None},
        {"PidsLimit": 0},
        {"NetworkMode": "bridge"},
        {"Tmpfs": {"/workspace": "rw,size=64m"}},
        {"Tmpfs": {"/workspace": "rw,nr_inodes=16384,size=65m"}},
        {"Ulimits": []},
        {"Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 4096}]},
    ],
)
async def test_a_limit_that_the_engine_does_not_hold_means_that_nothing_is_run(
    client: httpx.AsyncClient, engine: ScriptedEngine, held: dict[str, JsonValue]
) -> None:
    engine.held = held
    answer = await client.post("/v1/execute", json=SNIPPET)
    assert answer.status_code == 500
    assert "limits" in answer.json()["error"]["message"]


async def test_a_sandbox_that_dies_is_an_execution_that_was_killed(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def dies(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.send(frames.STDOUT, b"half a w")
        raise OSError

    engine.runner = dies
    answer = (await client.post("/v1/execute", json=SNIPPET)).json()
    assert (answer["status"], answer["exit_code"], answer["stdout"]) == ("killed", 137, "half a w")


async def test_an_engine_that_falls_silent_under_a_snippet_is_told_and_not_called_a_timeout(
    client: httpx.AsyncClient, engine: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(peer: RunnerPeer) -> None:
        await peer.receive_order()
        engine.is_silent = True
        await asyncio.sleep(60)

    for name in (
        "runner.container.PING_INTERVAL_S",
        "engine.connection.PING_INTERVAL_S",
        "engine.connection.PING_TIMEOUT_S",
    ):
        monkeypatch.setattr(f"codex_sidecar.{name}", 0.05)
    engine.runner = silent
    answer = await client.post("/v1/execute", json=SNIPPET)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "engine_unavailable")


async def test_a_sandbox_that_died_of_memory_is_an_execution_out_of_memory(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def dies(peer: RunnerPeer) -> None:
        await peer.receive_order()
        raise OSError

    engine.runner, engine.oom_killed = dies, True
    answer = (await client.post("/v1/execute", json=SNIPPET)).json()
    assert (answer["status"], answer["oom_events"]) == ("oom", 1)


async def test_a_frame_without_the_nonce_is_not_believed(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def forges(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.nonce = b"x" * 16
        peer.send(frames.STDOUT, b"forged")
        await asyncio.sleep(60)

    engine.runner = forges
    answer = (await client.post("/v1/execute", json=SNIPPET)).json()
    assert (answer["status"], answer["stdout"]) == ("killed", "")


async def test_every_sandbox_that_was_made_is_removed(
    opened: Opened, engine: ScriptedEngine
) -> None:
    async with opened() as client:
        await client.post("/v1/execute", json=SNIPPET)
        await client.get("/v1/languages")
    removed = [call.rpartition("/")[2] for call in engine.calls if call.startswith("DELETE")]
    assert sorted(removed) == sorted(engine.created())
    assert len(removed) == len(LANGUAGES)

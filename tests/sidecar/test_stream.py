"""Executions as server-sent events, and output on its way to slow readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import JsonValue

from codex_sidecar.http.event_stream import MAX_PIECES, OutputBuffer
from mini_agent.sandbox import Output, Truncated
from mini_agent_protocol import frames
from mini_agent_protocol.order import encode_result
from mini_agent_protocol.sse import read_events
from tests.sidecar.scripted_engine import RunnerPeer, ScriptedEngine, result

EVENTS = {"Accept": "text/event-stream"}
SNIPPET = {"language": "bash", "code": "true"}
WHOLE = Truncated()


def joined(pieces: list[Output], stream: str) -> str:
    return "".join(piece.text for piece in pieces if piece.stream == stream)


async def bytes_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def events(answer: httpx.Response) -> list[tuple[str, dict[str, JsonValue]]]:
    return [(name, json.loads(said)) async for name, said in read_events(bytes_of(answer.content))]


async def test_output_comes_as_events_and_the_execution_last(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def run(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.send(frames.RUNNING, b"")
        peer.send(frames.STDOUT, "line\u2028sepa".encode())
        await asyncio.sleep(0.05)
        peer.send(frames.STDERR, b"rated")
        peer.send(frames.RESULT, encode_result(result(exit_code=3)))

    engine.runner = run
    answer = await client.post("/v1/execute", json=SNIPPET, headers=EVENTS)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *outputs, (last, execution) = await events(answer)
    assert outputs == [
        ("output", {"stream": "stdout", "text": "line\u2028sepa"}),
        ("output", {"stream": "stderr", "text": "rated"}),
    ]
    assert (last, execution["exit_code"], execution["stdout"]) == (
        "execution",
        3,
        "line\u2028sepa",
    )


async def test_what_fails_before_the_program_starts_is_a_plain_answer(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    engine.refusal = (500, "no space left")
    answer = await client.post("/v1/execute", json=SNIPPET, headers=EVENTS)
    assert answer.status_code == 500
    assert "no space left" in answer.json()["error"]["message"]
    assert (await client.post("/v1/execute", json={}, headers=EVENTS)).status_code == 422


async def test_what_fails_later_is_an_event(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def run(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.send(frames.RUNNING, b"")
        peer.send(frames.STDOUT, b"half")
        await asyncio.sleep(0.05)
        peer.send(frames.RESULT, encode_result(result(failed="disk full")))

    engine.runner = run
    answer = await client.post("/v1/execute", json=SNIPPET, headers=EVENTS)
    assert answer.status_code == 200
    output, (name, problem) = await events(answer)
    assert output == ("output", {"stream": "stdout", "text": "half"})
    assert name == "error"
    assert "disk full" in str(problem["error"])


async def test_a_character_that_comes_in_two_halves_is_one_character() -> None:
    relay = OutputBuffer()
    relay.on_output("stdout", b"\xc3")
    first = list(relay.take())
    relay.on_output("stdout", b"\xa9!")
    assert first == []
    assert joined(list(relay.flush(WHOLE)), "stdout") == "é!"


@pytest.mark.parametrize(("is_cut", "text"), [(False, "a\ufffd"), (True, "a")])
async def test_half_a_character_at_the_end_is_told_unless_the_limit_cut_it(
    is_cut: bool, text: str
) -> None:
    relay = OutputBuffer()
    relay.on_output("stdout", b"a\xc3")
    assert joined(list(relay.flush(Truncated(stdout=is_cut))), "stdout") == text


async def test_a_reader_who_does_not_read_is_owed_few_pieces_and_all_of_the_text() -> None:
    relay = OutputBuffer()
    for number in range(2000):
        relay.on_output("stdout", f"{number},".encode())
        relay.on_output("stderr", f"{number};".encode())
    pieces = list(relay.take())
    assert len(pieces) == MAX_PIECES
    assert joined(pieces, "stdout") == "".join(f"{number}," for number in range(2000))
    assert joined(pieces, "stderr") == "".join(f"{number};" for number in range(2000))


async def test_no_event_is_so_long_that_it_would_hold_up_its_reader() -> None:
    relay = OutputBuffer()
    relay.on_output("stdout", b"x" * 1_000_000)
    pieces = list(relay.take())
    assert max(len(piece.text) for piece in pieces) == 65_536
    assert len(joined(pieces, "stdout")) == 1_000_000


async def test_no_more_is_streamed_than_is_kept(
    client: httpx.AsyncClient, engine: ScriptedEngine
) -> None:
    async def run(peer: RunnerPeer) -> None:
        await peer.receive_order()
        peer.send(frames.RUNNING, b"")
        for _ in range(100):
            peer.send(frames.STDOUT, b"0123456789")
        peer.send(frames.RESULT, encode_result(result()))

    engine.runner = run
    snippet = SNIPPET | {"limits": {"output_bytes": 25}}
    answer = await client.post("/v1/execute", json=snippet, headers=EVENTS)
    *outputs, (_, execution) = await events(answer)
    assert "".join(str(said["text"]) for _, said in outputs) == execution["stdout"]
    assert (len(str(execution["stdout"])), execution["stdout_bytes"]) == (25, 1000)
    assert execution["truncated"] == {"stdout": True, "stderr": False}

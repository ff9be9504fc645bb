"""Streams that the guard gives away: whole, at once, and without the guard in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from codex_sidecar.engine.attach import HijackedStream, StreamOpener
from codex_sidecar.engine.confinement import INSTANCE_LABEL, SANDBOX_LABEL
from codex_sidecar.errors import EngineRefused
from codex_sidecar.guard.settings import GuardSettings
from tests.sidecar.guard.conftest import INSTANCE
from tests.sidecar.guard.guard_server import serving
from tests.sidecar.guard.recording_engine import RecordingEngine

TARGET = (
    "/v1.45/containers/mini-agent-sandbox-0123456789abcdef/attach"
    "?stream=1&stdin=1&stdout=1&stderr=1"
)
HELLO = b"\x01\0\0\0\0\0\0\x05hello"


@pytest.fixture(autouse=True)
def ours(engine: RecordingEngine) -> None:
    engine.labels = {SANDBOX_LABEL: "1", INSTANCE_LABEL: INSTANCE}


@asynccontextmanager
async def streams(place: Path) -> AsyncIterator[HijackedStream]:
    attached = await asyncio.wait_for(StreamOpener(str(place)).open(TARGET), 30)
    try:
        yield attached
    finally:
        await attached.close()


async def test_bytes_go_both_ways(guard: Path) -> None:
    async with streams(guard) as attached:
        for _ in range(10):
            await attached.send(HELLO)
            assert await attached.read() == (1, b"hello")


async def test_they_outlive_the_guard(engine: RecordingEngine, folder: Path) -> None:
    settings = GuardSettings(instance=INSTANCE, docker_socket=str(engine.socket))
    place = folder / "short-lived.sock"
    async with serving(settings, place):
        attached = await StreamOpener(str(place)).open(TARGET)
    await attached.send(HELLO)
    assert await attached.read() == (1, b"hello")
    await attached.close()


async def test_their_end_is_heard_on_both_sides(guard: Path, engine: RecordingEngine) -> None:
    gone = asyncio.Event()

    async def listens(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    engine.streams = listens
    async with streams(guard):
        pass
    await asyncio.wait_for(gone.wait(), 30)


async def test_an_engine_that_goes_is_gone_for_the_client(
    guard: Path, engine: RecordingEngine
) -> None:
    async with streams(guard) as attached:
        await engine.stop()
        assert await attached.read() == (1, b"")


async def test_an_engine_that_speaks_at_once_is_heard(guard: Path, engine: RecordingEngine) -> None:
    async def speaks_first(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO)
        await writer.drain()

    engine.streams = speaks_first
    async with streams(guard) as attached:
        assert await attached.read() == (1, b"hello")


async def test_without_a_guard_the_engine_itself_gives_them(engine: RecordingEngine) -> None:
    async with streams(engine.socket) as attached:
        await attached.send(HELLO)
        assert await attached.read() == (1, b"hello")


async def test_a_container_of_somebody_else_is_refused(
    guard: Path, engine: RecordingEngine
) -> None:
    engine.labels = {}
    with pytest.raises(EngineRefused, match="no stream"):
        async with streams(guard):
            pass


async def test_a_descriptor_that_is_kept_from_us_is_not_asked_for_again(
    folder: Path, engine: RecordingEngine
) -> None:
    asked: list[bytes] = []

    async def says_it_passed_one(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        passed = b"Descriptor: 1\r\n" if b"Takes-Descriptor" in asked[-1] else b""
        writer.write(b"HTTP/1.1 101 UPGRADED\r\n" + passed + b"\r\n" + HELLO)
        writer.close()

    upgrade = StreamOpener(str(folder / "keeps.sock"))
    async with await asyncio.start_unix_server(says_it_passed_one, folder / "keeps.sock"):
        with pytest.raises(ConnectionError, match="did not arrive"):
            await upgrade.open(TARGET)
        attached = await upgrade.open(TARGET)
        assert await attached.read() == (1, b"hello")
        await attached.close()
    assert [b"Takes-Descriptor" in request for request in asked] == [True, False]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "it hung up"),
        (b"HTTP/1.1 101 UPGRADED\r\n", "it hung up"),
        (b"x" * 200_000, "too long"),
        (b"nonsense\r\n\r\n", "it is not HTTP"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", "answered with .*103"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "no engine behind it"),
    ],
)
async def test_an_answer_that_gives_no_streams_is_an_error(
    folder: Path, answer: bytes, why: str
) -> None:
    async with saying(folder, answer) as place:
        with pytest.raises(ConnectionError, match=why):
            await StreamOpener(str(place)).open(TARGET)


@pytest.mark.parametrize("first", [b"101 UPGRADED", b"200 OK"])
@pytest.mark.parametrize("cut", [0, 20])
async def test_what_comes_with_the_head_and_behind_it_is_of_the_stream(
    folder: Path, first: bytes, cut: int
) -> None:
    answer = b"HTTP/1.1 %s\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n" % first
    async with saying(folder, answer + HELLO, cut) as place:
        attached = await StreamOpener(str(place)).open(TARGET)
        assert await attached.read() == (1, b"hello")
        await attached.close()


@asynccontextmanager
async def saying(folder: Path, answer: bytes, cut: int = 0) -> AsyncIterator[Path]:
    """An engine that says this to everybody, with a pause at the cut, and hangs up."""

    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer[:cut])
        await asyncio.sleep(0.05)
        writer.write(answer[cut:])
        writer.close()

    place = folder / "odd.sock"
    async with await asyncio.start_unix_server(says, place):
        yield place

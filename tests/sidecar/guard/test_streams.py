"""Attached streams: bytes both ways, as they are, at the pace of the slower side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from codex_sidecar.engine.confinement import INSTANCE_LABEL, SANDBOX_LABEL
from tests.sidecar.guard.conftest import INSTANCE
from tests.sidecar.guard.recording_engine import RecordingEngine
from tests.sidecar.guard.socket_client import request

ATTACH = request(
    "POST",
    "/containers/mini-agent-sandbox-0123456789abcdef/attach?stream=1&stdin=1&stdout=1&stderr=1",
    b"",
    "Upgrade: tcp",
    "Connection: Upgrade",
)
EVERY_BYTE = bytes(range(256))

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def ours(engine: RecordingEngine) -> None:
    engine.labels = {SANDBOX_LABEL: "1", INSTANCE_LABEL: INSTANCE}


@asynccontextmanager
async def attached(guard: Path, early: bytes = b"") -> AsyncIterator[Pair]:
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_unix_connection(str(guard))
        try:
            writer.write(ATTACH + early)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 101 ")
            yield reader, writer
        finally:
            writer.close()
            await writer.wait_closed()


async def test_every_byte_goes_there_and_back(guard: Path) -> None:
    async with attached(guard) as (reader, writer):
        for _ in range(10):
            writer.write(EVERY_BYTE)
            assert await reader.readexactly(256) == EVERY_BYTE


async def test_what_is_sent_before_the_answer_is_not_lost(guard: Path) -> None:
    async with attached(guard, early=b"too early") as (reader, _):
        assert await reader.readexactly(9) == b"too early"


async def test_the_end_of_one_direction_leaves_the_other_open(
    guard: Path, engine: RecordingEngine
) -> None:
    async def answers_at_the_end(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        heard = await reader.read()
        writer.write(b"heard " + heard)

    engine.streams = answers_at_the_end
    async with attached(guard) as (reader, writer):
        writer.write(b"all of it")
        writer.write_eof()
        assert await reader.read() == b"heard all of it"


async def test_a_side_that_does_not_read_stops_the_other(
    guard: Path, engine: RecordingEngine
) -> None:
    written = 0

    async def floods(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            written += 65_536

    engine.streams = floods
    async with attached(guard) as (reader, _):
        await _until_still(lambda: written)
        assert written < 4_000_000
        held = written
        await reader.readexactly(held + 1_000_000)
        assert written > held


async def test_a_client_that_goes_is_gone_for_the_engine(
    guard: Path, engine: RecordingEngine
) -> None:
    gone = asyncio.Event()

    async def listens(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()
        gone.set()

    engine.streams = listens
    async with attached(guard):
        pass
    await asyncio.wait_for(gone.wait(), 30)


async def test_an_engine_that_goes_is_gone_for_the_client(
    guard: Path, engine: RecordingEngine
) -> None:
    async with attached(guard) as (reader, _):
        await engine.stop()
        assert await reader.read() == b""


async def _until_still(count: Callable[[], int]) -> None:
    before = -1
    while before != count():
        before = count()
        await asyncio.sleep(0.2)

"""Frames out of a stream that may be cut anywhere and say anything."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from codex_sidecar.engine.attach import HijackedStream
from codex_sidecar.errors import RunnerLost
from codex_sidecar.runner.frames import Frame, FrameReader
from mini_agent_protocol.frames import encode_frame


@asynccontextmanager
async def reading(content: bytes) -> AsyncIterator[FrameReader]:
    """Frames of a real connection, whose other end says this and hangs up."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    attached = HijackedStream(reader, writer)
    speaking = asyncio.create_task(asyncio.to_thread(send, theirs, content))
    try:
        yield FrameReader(attached)
    finally:
        await attached.close()
        await speaking


def send(end: socket.socket, content: bytes) -> None:
    with end, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        end.sendall(content)


def wrapped(content: bytes, stream: int = 1) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize("size", [1, 3, 7, 100_000])
async def test_a_frame_is_whole_however_the_engine_cuts_it(size: int) -> None:
    frame = encode_frame(b"O", b"n" * 16 + b"body" * 20_000)
    pieces = [frame[start : start + size] for start in range(0, len(frame), size)]
    async with reading(b"".join(wrapped(piece) for piece in pieces)) as read:
        assert await read.receive(b"n" * 16) == Frame(b"O", b"body" * 20_000)


async def test_what_the_runner_complains_of_is_kept_apart() -> None:
    content = wrapped(b"Trace", 2) + wrapped(encode_frame(b"R", b"{}")) + wrapped(b"back", 2)
    async with reading(content) as read:
        assert await read.receive() == Frame(b"R", b"{}")
        with pytest.raises(RunnerLost, match="gone"):
            await read.receive()
        assert read.stderr == "Traceback"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x00\x00",
        wrapped(b"X")[:-1] + b"",
        wrapped(encode_frame(b"X", b"body")[:-1]),
        wrapped(b"X" + (21 << 20).to_bytes(4, "big")),
        b"\x01\x00\x00\x00\xff\xff\xff\xffX",
    ],
)
async def test_a_stream_that_is_cut_or_lies_is_a_runner_lost(content: bytes) -> None:
    async with reading(content) as read:
        with pytest.raises(RunnerLost):
            await read.receive()


async def test_a_frame_of_another_snippet_is_refused() -> None:
    async with reading(wrapped(encode_frame(b"O", b"a" * 20))) as read:
        with pytest.raises(RunnerLost, match="not of this snippet"):
            await read.receive(b"b" * 16)

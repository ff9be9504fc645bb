"""The connection to the engine that stops being HTTP and becomes a container's streams.

A container's streams over a connection that the engine has handed over.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from functools import partial
from typing import Final

import h11

from codex_sidecar.engine.connection import create_http_state, encode_request, read_event
from codex_sidecar.errors import EngineRefused

STDOUT: Final = 1
HEADER_BYTES: Final = 8
CHUNK_BYTES: Final = 65_536


class HijackedStream:
    """Standard input to write to; output and errors, interleaved, to read from."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stream = 0
        self._left = 0

    @property
    def has_ended(self) -> bool:
        """Whether the other side has closed it and there is nothing left to read."""
        return self._reader.at_eof() or self._writer.is_closing()

    async def send(self, content: bytes) -> None:
        """Writes to the container; raises `OSError` when it is gone."""
        self._writer.write(content)
        await self._writer.drain()

    async def chunk(self) -> tuple[int, bytes]:
        """The next piece and the stream it came on; empty at the end.

        However long the engine says a piece is, no more than a chunk is held in memory.
        """
        while self._left == 0:
            try:
                head = await self._reader.readexactly(HEADER_BYTES)
            except (asyncio.IncompleteReadError, OSError):
                return STDOUT, b""
            self._stream, self._left = head[0], int.from_bytes(head[4:], "big")
        try:
            piece = await self._reader.read(min(self._left, CHUNK_BYTES))
        except OSError:
            piece = b""
        self._left = self._left - len(piece) if piece else 0
        return self._stream, piece

    async def close(self) -> None:
        """Lets go of the connection."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class StreamOpener:
    """Asks for streams at the engine's socket, or at that of a guard before it.

    A guard gives away its own connection to the engine, as a descriptor: not a byte of a snippet
    then passes through the guard.
    """

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._takes_descriptor = True

    async def streams(self, target: str) -> HijackedStream:
        """The streams at `target`; `OSError` where nobody gives any."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(asking, self._socket_path)
            http = create_http_state()
            await loop.sock_sendall(asking, encode_request(http, self._request(target)))
            heard, given = await _receive_with_descriptor(asking)
            with given or asking.dup() as streams:
                http.receive_data(heard)
                head = await read_event(http, partial(loop.sock_recv, asking, CHUNK_BYTES))
                self._require_streams(head, given)
                return await _open_stream(streams.dup(), http.trailing_data[0])

    def _request(self, target: str) -> h11.Request:
        fields = [("Host", "engine"), ("Upgrade", "tcp"), ("Connection", "Upgrade")]
        if self._takes_descriptor:
            fields.append(("Takes-Descriptor", "1"))
        return h11.Request(method="POST", target=target, headers=fields)

    def _require_streams(self, head: h11.Event, given: socket.socket | None) -> None:
        match head:
            case h11.InformationalResponse(status_code=101) | h11.Response(status_code=200):
                self._require_descriptor(head, given)
            case h11.Response(status_code=502):
                raise ConnectionError("the guard has no engine behind it")
            case h11.Response(status_code=status):
                raise EngineRefused("attach to a sandbox", status, "no stream")
            case _:
                raise ConnectionError(f"the engine answered with {head}")

    def _require_descriptor(
        self, head: h11.InformationalResponse | h11.Response, given: socket.socket | None
    ) -> None:
        if given is None and (b"descriptor", b"1") in head.headers:
            # Mandatory access control may keep it from us; from now on the guard is to relay.
            self._takes_descriptor = False
            raise ConnectionError("the descriptor that the guard has sent did not arrive")


async def _receive_with_descriptor(asking: socket.socket) -> tuple[bytes, socket.socket | None]:
    await _wait_readable(asking)
    heard, descriptors, _, _ = socket.recv_fds(asking, CHUNK_BYTES, 1)
    if not descriptors:
        return heard, None
    os.set_inheritable(descriptors[0], False)
    return heard, socket.socket(fileno=descriptors[0])


async def _wait_readable(asking: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(asking, is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(asking)


async def _open_stream(streams: socket.socket, rest: bytes) -> HijackedStream:
    reader, writer = await asyncio.open_unix_connection(sock=streams, limit=CHUNK_BYTES)
    reader.feed_data(rest)
    return HijackedStream(reader, writer)

"""An attached container: the HTTP connection that the engine turns into a raw stream."""

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
    """A container's standard input (written) and its interleaved stdout and stderr (read)."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stream = 0
        self._remaining = 0

    @property
    def has_ended(self) -> bool:
        """Whether the engine has closed the stream and everything is read."""
        return self._reader.at_eof() or self._writer.is_closing()

    async def send(self, content: bytes) -> None:
        """Write to the container; raises `OSError` when the stream is closed."""
        self._writer.write(content)
        await self._writer.drain()

    async def read(self) -> tuple[int, bytes]:
        """Read the next piece as (stream number, bytes); the bytes are empty at the end.

        A piece that the engine announces as larger than CHUNK_BYTES is returned in several parts.
        """
        while self._remaining == 0:
            try:
                header = await self._reader.readexactly(HEADER_BYTES)
            except (asyncio.IncompleteReadError, OSError):
                return STDOUT, b""
            self._stream, self._remaining = header[0], int.from_bytes(header[4:], "big")
        try:
            content = await self._reader.read(min(self._remaining, CHUNK_BYTES))
        except OSError:
            content = b""
        self._remaining = self._remaining - len(content) if content else 0
        return self._stream, content

    async def close(self) -> None:
        """Close the connection."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class StreamOpener:
    """Opens hijacked streams at the engine's socket, or at that of a guard before it.

    A guard sends its own connection to the engine as a file descriptor (SCM_RIGHTS), so that no
    byte of a snippet passes through the guard.
    """

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._accepts_descriptor = True

    async def open(self, target: str) -> HijackedStream:
        """Open the stream at `target`; raises `OSError` where there is none."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(connection, self._socket_path)
            http = create_http_state()
            await loop.sock_sendall(connection, encode_request(http, self._request(target)))
            received, descriptor = await _receive_with_descriptor(connection)
            with descriptor or connection.dup() as stream_socket:
                http.receive_data(received)
                response = await read_event(http, partial(loop.sock_recv, connection, CHUNK_BYTES))
                self._require_upgrade(response, descriptor)
                return await _open_stream(stream_socket.dup(), http.trailing_data[0])

    def _request(self, target: str) -> h11.Request:
        fields = [("Host", "engine"), ("Upgrade", "tcp"), ("Connection", "Upgrade")]
        if self._accepts_descriptor:
            fields.append(("Takes-Descriptor", "1"))
        return h11.Request(method="POST", target=target, headers=fields)

    def _require_upgrade(self, response: h11.Event, descriptor: socket.socket | None) -> None:
        match response:
            case h11.InformationalResponse(status_code=101) | h11.Response(status_code=200):
                self._require_descriptor(response, descriptor)
            case h11.Response(status_code=502):
                raise ConnectionError("the guard has no engine behind it")
            case h11.Response(status_code=status):
                raise EngineRefused("attach to a sandbox", status, "no stream")
            case _:
                raise ConnectionError(f"the engine answered with {response}")

    def _require_descriptor(
        self, response: h11.InformationalResponse | h11.Response, descriptor: socket.socket | None
    ) -> None:
        if descriptor is None and (b"descriptor", b"1") in response.headers:
            # Mandatory access control may withhold it; from now on the guard relays the bytes.
            self._accepts_descriptor = False
            raise ConnectionError("the descriptor that the guard has sent did not arrive")


async def _receive_with_descriptor(connection: socket.socket) -> tuple[bytes, socket.socket | None]:
    await _wait_readable(connection)
    received, descriptors, _, _ = socket.recv_fds(connection, CHUNK_BYTES, 1)
    if not descriptors:
        return received, None
    os.set_inheritable(descriptors[0], False)
    return received, socket.socket(fileno=descriptors[0])


async def _wait_readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(connection, is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(connection)


async def _open_stream(stream_socket: socket.socket, rest: bytes) -> HijackedStream:
    reader, writer = await asyncio.open_unix_connection(sock=stream_socket, limit=CHUNK_BYTES)
    reader.feed_data(rest)
    return HijackedStream(reader, writer)

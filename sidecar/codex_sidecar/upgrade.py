"""The connection to the engine that stops being HTTP and becomes a container's streams."""

from __future__ import annotations

import asyncio
import os
import socket
from http import HTTPStatus
from typing import Final

from codex_sidecar.attached import CHUNK, Attached
from codex_sidecar.errors import EngineRefused

_END: Final = b"\r\n\r\n"
_MOST_HEAD: Final = 8192


class Upgrade:
    """Asks for streams at the engine's socket, or at that of a guard before it.

    A guard gives away its own connection to the engine, as a descriptor: not a byte of a snippet
    then passes through the guard.
    """

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._takes_descriptor = True

    async def streams(self, target: str) -> Attached:
        """The streams at `target`; `OSError` where nobody gives any."""
        with socket.socket(socket.AF_UNIX) as asking:
            asking.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(asking, self._socket_path)
            await loop.sock_sendall(asking, self._request(target))
            head, rest, given = await _answer(asking)
            with given or asking.dup() as streams:
                _require_stream(head)
                self._require_descriptor(head, given)
                return await _attached(streams.dup(), rest)

    def _request(self, target: str) -> bytes:
        lines = [f"POST {target} HTTP/1.1", "Host: engine", "Upgrade: tcp", "Connection: Upgrade"]
        if self._takes_descriptor:
            lines.append("Takes-Descriptor: 1")
        return "\r\n".join([*lines, "", ""]).encode()

    def _require_descriptor(self, head: bytes, given: socket.socket | None) -> None:
        if given is None and b"\r\nDescriptor: 1\r\n" in head:
            # Mandatory access control may keep it from us; from now on the guard is to relay.
            self._takes_descriptor = False
            raise ConnectionError("the descriptor that the guard has sent did not arrive")


async def _answer(asking: socket.socket) -> tuple[bytes, bytes, socket.socket | None]:
    """The head of the answer, what came behind it, and the socket that came with it."""
    heard, given = await _received(asking)
    try:
        while _END not in heard:
            if not (piece := await asyncio.get_running_loop().sock_recv(asking, CHUNK)):
                raise ConnectionError("the engine hung up instead of answering")
            if len(heard := heard + piece) > _MOST_HEAD + CHUNK:
                raise ConnectionError("the engine's answer has no end")
    except BaseException:
        if given is not None:
            given.close()
        raise
    head, _, rest = heard.partition(_END)
    return head + _END, rest, given


async def _received(asking: socket.socket) -> tuple[bytes, socket.socket | None]:
    await _readable(asking)
    heard, descriptors, _, _ = socket.recv_fds(asking, CHUNK, 1)
    if not descriptors:
        return heard, None
    os.set_inheritable(descriptors[0], False)
    return heard, socket.socket(fileno=descriptors[0])


async def _readable(asking: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    is_readable = asyncio.Event()
    loop.add_reader(asking, is_readable.set)
    try:
        await is_readable.wait()
    finally:
        loop.remove_reader(asking)


async def _attached(streams: socket.socket, rest: bytes) -> Attached:
    reader, writer = await asyncio.open_unix_connection(sock=streams, limit=CHUNK)
    reader.feed_data(rest)
    return Attached(reader, writer)


def _require_stream(said: bytes) -> None:
    words = said.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    if status == HTTPStatus.BAD_GATEWAY:
        raise ConnectionError("the guard has no engine behind it")
    if status not in (HTTPStatus.SWITCHING_PROTOCOLS, HTTPStatus.OK):
        raise EngineRefused("attach to a sandbox", status, "no stream")

"""A container's streams: handed to the client as a file descriptor, or relayed as bytes."""

from __future__ import annotations

import asyncio
import os
import socket
from http import HTTPStatus
from typing import Final

from codex_sidecar.errors import EngineUnavailable
from codex_sidecar.guard.errors import EngineErrorResponse, MalformedRequest
from codex_sidecar.guard.http import BufferedConnection

ATTACH_TIMEOUT_S: Final = 5.0

_RESPONSE: Final = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
)
_RESPONSE_WITH_DESCRIPTOR: Final = (
    b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"
    b"Connection: Upgrade\r\nUpgrade: tcp\r\nDescriptor: 1\r\n\r\n"
)


def hand_over(client: BufferedConnection, engine: BufferedConnection) -> bool:
    """Send the client the engine's connection; False where some of it was read already.

    A connection that the engine has upgraded never becomes HTTP again, so it is good for the
    streams of this one container and for nothing else.
    """
    if not (engine.stop_reading() and client.stop_reading()):
        return False
    try:
        with socket.socket(fileno=os.dup(client.descriptor)) as to_client:
            socket.send_fds(to_client, [_RESPONSE_WITH_DESCRIPTOR], [engine.descriptor])
    except OSError as error:
        raise EOFError from error
    finally:
        engine.close()
    return True


async def attach(socket_path: str, target: str) -> BufferedConnection:
    """Open a connection to the engine and upgrade it to a container's streams."""
    engine = BufferedConnection()
    try:
        async with asyncio.timeout(ATTACH_TIMEOUT_S):
            status = await _upgrade(engine, socket_path, target)
    except (OSError, TimeoutError, EOFError, ValueError, MalformedRequest) as error:
        engine.close()
        why = str(error) or type(error).__name__
        raise EngineUnavailable(f"the engine does not attach: {why}") from error
    if status != HTTPStatus.SWITCHING_PROTOCOLS:
        engine.close()
        raise EngineErrorResponse(status, "the engine gives no streams of this container")
    return engine


async def _upgrade(engine: BufferedConnection, socket_path: str, target: str) -> int:
    await asyncio.get_running_loop().create_unix_connection(lambda: engine, socket_path)
    await engine.send(
        f"POST {target} HTTP/1.1\r\nHost: engine\r\n"
        "Upgrade: tcp\r\nConnection: Upgrade\r\n\r\n".encode()
    )
    return int((await engine.read_head())[9:12])


async def relay_bytes(client: BufferedConnection, engine: BufferedConnection) -> None:
    """Relay bytes both ways until both sides have ended, or one is lost."""
    try:
        await client.send(_RESPONSE)
        stopped = asyncio.Event()
        directions = _Direction(engine, stopped), _Direction(client, stopped)
        directions[0].take_over(client, reverse=directions[1])
        directions[1].take_over(engine, reverse=directions[0])
        await stopped.wait()
    finally:
        client.close()
        engine.close()


class _Direction(asyncio.Protocol):
    """Relays what one side sends to the other."""

    def __init__(self, to: BufferedConnection, stopped: asyncio.Event) -> None:
        self._to, self._stopped = to.transport, stopped
        self._reverse = self
        self.has_ended = False

    def take_over(self, side: BufferedConnection, *, reverse: _Direction) -> None:
        """Receive the side's data from now on."""
        self._reverse = reverse
        self._to.write(side.hand_over(self))
        if side.has_ended:
            self.eof_received()

    def data_received(self, data: bytes) -> None:
        """Relay the data."""
        self._to.write(data)

    def eof_received(self) -> bool:
        """Relay the end of one side; the other may still send."""
        self.has_ended = True
        if self._reverse.has_ended or self._to.is_closing():
            self._stopped.set()
        else:
            self._to.write_eof()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Stop, as one side is lost."""
        self._stopped.set()

    def pause_writing(self) -> None:
        """Stop reading the other side, as this one does not read."""
        self._to.pause_reading()

    def resume_writing(self) -> None:
        """Read the other side again."""
        self._to.resume_reading()

"""A connection while it speaks HTTP: bytes are held until they are asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol, runtime_checkable

from codex_sidecar.guard.errors import Malformed
from codex_sidecar.guard.head import MOST_BODY, MOST_HEAD

_END: Final = b"\r\n\r\n"
_MOST: Final = MOST_HEAD + MOST_BODY


class Socket(Protocol):
    """A transport's socket, as far as it is needed."""

    def fileno(self) -> int: ...


@runtime_checkable
class Wire(Protocol):
    """What a transport does, whichever event loop it is of."""

    def get_extra_info(self, name: str) -> Socket: ...

    def write(self, data: bytes) -> None: ...

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def is_closing(self) -> bool: ...

    def close(self) -> None: ...


class Incoming(asyncio.Protocol):
    """Reads heads and bodies; what is left over belongs to whoever takes the connection over."""

    def __init__(self, opened: Callable[[Incoming], None] = lambda _: None) -> None:
        self._opened = opened
        self._wire: Wire | None = None
        self._held = bytearray()
        self._is_paused = False
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.has_ended = False

    @property
    def wire(self) -> Wire:
        """Its transport; `EOFError` before there is one."""
        if self._wire is None:
            raise EOFError
        return self._wire

    @property
    def descriptor(self) -> int:
        """The number of its socket, for as long as it is open."""
        return self.wire.get_extra_info("socket").fileno()

    def hears_no_more(self) -> bool:
        """Stops reading; whether nothing was read that nobody has taken."""
        self.wire.pause_reading()
        self._is_paused = True
        return not self._held and not self.has_ended

    async def head(self) -> bytes:
        """The bytes up to an empty line; `EOFError` where the connection ends before it."""
        while (end := self._held.find(_END, 0, MOST_HEAD)) < 0:
            if len(self._held) >= MOST_HEAD:
                raise Malformed(f"the head is longer than {MOST_HEAD} bytes")
            await self._more()
        return self._take(end + len(_END))

    async def body(self, length: int) -> bytes:
        """So many bytes."""
        while len(self._held) < length:
            await self._more()
        return self._take(length)

    async def begins(self) -> None:
        """Returns when there is something to read; `EOFError` at the end."""
        while not self._held:
            await self._more()

    async def send(self, content: bytes) -> None:
        """Writes; waits while the other side does not read."""
        self.wire.write(content)
        await self._writable.wait()

    def hand_over(self, protocol: asyncio.Protocol) -> bytes:
        """From now on the protocol hears the connection; what was read and not taken."""
        self.wire.set_protocol(protocol)
        return self._take(len(self._held))

    def close(self) -> None:
        """Lets go of the connection once everything is written."""
        if self._wire is not None:
            self._wire.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is there."""
        if isinstance(transport, Wire):
            self._wire = transport
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Holds what came; no more than a request's worth."""
        self._held += data
        if len(self._held) > _MOST and not self._is_paused:
            self.wire.pause_reading()
            self._is_paused = True
        self._news.set()

    def eof_received(self) -> bool:
        """The other side will say no more; it may still be listening."""
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """The connection is gone."""
        self._end()
        self._writable.set()

    def pause_writing(self) -> None:
        """The other side does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The other side reads again."""
        self._writable.set()

    def _end(self) -> None:
        self.has_ended = True
        self._news.set()

    async def _more(self) -> None:
        if self.has_ended:
            raise EOFError
        self._news.clear()
        await self._news.wait()

    def _take(self, length: int) -> bytes:
        taken = bytes(self._held[:length])
        del self._held[:length]
        if self._is_paused and len(self._held) <= _MOST:
            self._is_paused = False
            self.wire.resume_reading()
        return taken

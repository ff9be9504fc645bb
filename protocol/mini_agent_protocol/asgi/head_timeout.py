"""HTTP as uvicorn reads it through h11, where the head of a request has to come in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_TIMEOUT_S: Final = 10.0


class HeadTimer:
    """Calls `expire` unless it is stopped within `HEAD_TIMEOUT_S` of its start."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expire: Callable[[], None]) -> None:
        self._loop, self._expire = loop, expire
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_running(self) -> bool:
        """Whether a head is being waited for."""
        return self._handle is not None

    def start(self) -> None:
        """Begin to wait; one that waits already keeps its deadline."""
        if self._handle is None:
            self._handle = self._loop.call_later(HEAD_TIMEOUT_S, self._fire)

    def stop(self) -> None:
        """Stop waiting."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _fire(self) -> None:
        self._handle = None
        self._expire()


class HeadTimeoutProtocol(H11Protocol):
    """Ends a connection whose next request was begun and does not come; h11 bounds its bytes."""

    _head: HeadTimer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Wait for the first head."""
        super().connection_made(transport)
        self._head = HeadTimer(self.loop, self._give_up)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take more of a head, or of something else."""
        super().data_received(data)
        self._watch()

    def _watch(self) -> None:
        if self._is_in_a_head():
            self._head.start()
        else:
            self._head.stop()

    def _is_in_a_head(self) -> bool:
        if not self.cycle:
            return True
        return self.cycle.response_complete and self.conn.trailing_data[0] != b""

    def _give_up(self) -> None:
        if self._is_in_a_head() and not self.transport.is_closing():
            self.send_400_response("The head of the request takes too long.")

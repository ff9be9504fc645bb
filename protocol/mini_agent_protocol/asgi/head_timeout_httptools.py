"""HTTP as uvicorn reads it through httptools, where a head is bounded in bytes and in time."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mini_agent_protocol.asgi.head_timeout import HeadTimer

MAX_HEAD_BYTES: Final = 65_536


class HttpToolsHeadTimeoutProtocol(HttpToolsProtocol):
    """Ends a connection on which no request gets as far as its body."""

    _head: HeadTimer
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Wait for the first head."""
        super().connection_made(transport)
        self._head = HeadTimer(self.loop, self._give_up)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to no body; a piece is never larger than a read of the loop."""
        super().data_received(data)
        if self._head.is_running:
            self._received += len(data)
            if self._received > MAX_HEAD_BYTES:
                self._give_up()

    def on_message_begin(self) -> None:
        """Wait for the rest of a head that has begun."""
        super().on_message_begin()
        if not self._head.is_running:
            self._await_head()

    def on_headers_complete(self) -> None:
        """Wait for nothing while the body comes and the response is made."""
        self._head.stop()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._received = 0
        self._head.start()

    def _give_up(self) -> None:
        self._head.stop()
        if not self.transport.is_closing():
            self.send_400_response("The head of the request is too long, or takes too long.")

"""HTTP as uvicorn reads it, where the head of a request is bounded in bytes and in time."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES: Final = 65_536
LONGEST_S: Final = 10.0


class BoundedHead(HttpToolsProtocol):
    """Ends a connection on which no request gets as far as its body."""

    _came = 0
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Somebody is there, who is to say something."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._end_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to no body; a piece is never larger than a read of the loop."""
        super().data_received(data)
        if self._patience is not None:
            self._came += len(data)
            if self._came > MOST_BYTES:
                self._give_up()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._patience is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The last of its head."""
        self._end_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._came = 0
        self._patience = self.loop.call_later(LONGEST_S, self._give_up)

    def _end_head(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._end_head()
        if not self.transport.is_closing():
            self.send_400_response("The head of the request is too long, or takes too long.")

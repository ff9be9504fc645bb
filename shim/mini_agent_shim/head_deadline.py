"""HTTP as uvicorn reads it, where the head of a request has to come in time."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_S: Final = 10.0


class HeadDeadline(H11Protocol):
    """Ends a connection whose next request was begun and does not come; h11 bounds its bytes."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own
        """Somebody is there, who is to say something."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is there any more."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a head, or of something else."""
        super().data_received(data)
        self._look()

    def _look(self) -> None:
        if not self._is_in_a_head():
            self._stop()
        elif self._patience is None:
            self._patience = self.loop.call_later(LONGEST_S, self._give_up)

    def _is_in_a_head(self) -> bool:
        if not self.cycle:
            return True
        return self.cycle.response_complete and self.conn.trailing_data[0] != b""

    def _give_up(self) -> None:
        self._patience = None
        if self._is_in_a_head() and not self.transport.is_closing():
            self.send_400_response("The head of the request takes too long.")

    def _stop(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

"""What comes out of a pipe: all of it is taken, its beginning and its end are kept."""

from __future__ import annotations

import asyncio
import codecs
from typing import Final, Literal

from mini_agent.tools.invoker import Listener
from mini_agent_protocol.execution import Output

LONGEST: Final = 30_000
BEGINNING: Final = 10_000
KEPT_BEGINNING: Final = 4 * BEGINNING
KEPT_END: Final = 4 * (LONGEST - BEGINNING)
# A listener is told so much; whoever prints megabytes is read by nobody.
TOLD: Final = 1 << 18


class Heard(asyncio.Protocol):
    """The reading end of a pipe, in an event loop."""

    def __init__(self, stream: Literal["stdout", "stderr"], tell: Listener) -> None:
        self._stream, self._tell = stream, tell
        self._told = 0
        self._total = 0
        self._beginning = bytearray()
        self._end = bytearray()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._telling = codecs.getincrementaldecoder("utf-8")("replace")
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        """A piece."""
        self._total += len(data)
        room = max(0, KEPT_BEGINNING - len(self._beginning))
        self._beginning += data[:room]
        self._end += data[room:]
        del self._end[:-KEPT_END]
        if self._told < TOLD:
            self._told += len(data)
            text = self._telling.decode(data[:TOLD])
            if text:
                self._tell(Output(stream=self._stream, text=text))

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody holds the other end any more."""
        del exc
        self.closed.set()

    def taken(self) -> str:
        """What has come since it was last taken, without the middle if that is too long."""
        missing = self._total - len(self._beginning) - len(self._end)
        is_last = self.closed.is_set()
        if missing:
            text = _cut(_text(self._beginning), _text(self._end), missing)
        else:
            text = self._decoder.decode(bytes(self._beginning + self._end), is_last)
            text = _cut(text, "", 0)
        self._total = 0
        self._beginning.clear()
        self._end.clear()
        return text


def _text(part: bytearray) -> str:
    return part.decode("utf-8", "replace")


def _cut(beginning: str, end: str, missing: int) -> str:
    if not missing and len(beginning) <= LONGEST:
        return beginning
    last = (beginning + end)[BEGINNING - LONGEST :]
    left_out = missing + len(beginning) + len(end) - BEGINNING - len(last)
    return f"{beginning[:BEGINNING]}\n... ({left_out} characters left out) ...\n{last}"

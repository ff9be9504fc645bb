"""Output as it is kept: the first bytes of a stream, and how many there were."""

from __future__ import annotations

import codecs


class Kept:
    """One stream of output: the first bytes of it, and how many there were."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._content = bytearray()
        self.seen = 0

    @property
    def truncated(self) -> bool:
        """Whether there was more than is kept."""
        return self.seen > len(self._content)

    def add(self, chunk: bytes) -> bytes:
        """Counts the chunk, keeps what still fits, and gives that back."""
        self.seen += len(chunk)
        fits = chunk[: self._limit - len(self._content)]
        self._content += fits
        return fits

    def text(self) -> str:
        """What is kept, as text; a character that the cut went through is left out."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        return decoder.decode(bytes(self._content), final=not self.truncated)

"""A container's streams over a connection that the engine has handed over."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Final

STDOUT: Final = 1
HEAD_BYTES: Final = 8
CHUNK: Final = 65_536


class Attached:
    """Standard input to write to; output and errors, interleaved, to read from."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._stream = 0
        self._left = 0

    @property
    def has_ended(self) -> bool:
        """Whether the other side has closed it and there is nothing left to read."""
        return self._reader.at_eof() or self._writer.is_closing()

    async def send(self, content: bytes) -> None:
        """Writes to the container; raises `OSError` when it is gone."""
        self._writer.write(content)
        await self._writer.drain()

    async def chunk(self) -> tuple[int, bytes]:
        """The next piece and the stream it came on; empty at the end.

        However long the engine says a piece is, no more than a chunk is held in memory.
        """
        while self._left == 0:
            try:
                head = await self._reader.readexactly(HEAD_BYTES)
            except (asyncio.IncompleteReadError, OSError):
                return STDOUT, b""
            self._stream, self._left = head[0], int.from_bytes(head[4:], "big")
        try:
            piece = await self._reader.read(min(self._left, CHUNK))
        except OSError:
            piece = b""
        self._left = self._left - len(piece) if piece else 0
        return self._stream, piece

    async def close(self) -> None:
        """Lets go of the connection."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

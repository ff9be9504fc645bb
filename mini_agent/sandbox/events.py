"""Server-sent events, as the sidecar writes them: one line of data each."""

from __future__ import annotations

from collections.abc import AsyncIterator


async def events_in(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Each event's name and its data."""
    buffer = bytearray()
    async for chunk in chunks:
        # An end that came in two halves begins one byte before this chunk.
        searched = max(0, len(buffer) - 1)
        buffer += chunk
        while (end := buffer.find(b"\n\n", searched)) >= 0:
            event = _event(bytes(buffer[:end]))
            del buffer[: end + 2]
            searched = 0
            if event is not None:
                yield event


def _event(block: bytes) -> tuple[str, bytes] | None:
    name, content = "", None
    # Only line feeds end a line: JSON may hold any other character that separates lines.
    for line in block.split(b"\n"):
        field, _, value = line.partition(b": ")
        if field == b"event":
            name = value.decode()
        elif field == b"data":
            content = value
    return None if content is None else (name, content)

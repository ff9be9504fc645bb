"""Server-sent events as text: one writer and one reader for the whole project.

The format is that of https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

MEDIA_TYPE: Final = "text/event-stream"


def format_event(data: str, *, event: str = "", event_id: str = "") -> str:
    """Write one event, with the empty line that ends it."""
    head = f"id: {event_id}\n" if event_id else ""
    head += f"event: {event}\n" if event else ""
    lines = data.replace("\n", "\ndata: ")
    return f"{head}data: {lines}\n\n"


def format_comment(text: str) -> str:
    """Write a comment, which readers skip; it keeps an idle connection open."""
    return f": {text}\n\n"


def format_retry(milliseconds: int) -> str:
    """Write after how long a reader that lost the connection shall connect again."""
    return f"retry: {milliseconds}\n\n"


async def read_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, bytes]]:
    """Yield each event's name and data; comments and events without data are skipped."""
    buffer = bytearray()
    async for chunk in chunks:
        # An end that came in two halves begins one byte before this chunk.
        searched = max(0, len(buffer) - 1)
        buffer += chunk
        while (end := buffer.find(b"\n\n", searched)) >= 0:
            event = _parse(bytes(buffer[:end]))
            del buffer[: end + 2]
            searched = 0
            if event is not None:
                yield event


def _parse(block: bytes) -> tuple[str, bytes] | None:
    name, lines = "", list[bytes]()
    # Only line feeds end a line: JSON may hold any other character that separates lines.
    for line in block.split(b"\n"):
        field, _, value = line.partition(b": ")
        if field == b"event":
            name = value.decode()
        elif field == b"data":
            lines.append(value)
    return (name, b"\n".join(lines)) if lines else None

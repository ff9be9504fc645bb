"""Server-sent events, however they come in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mini_agent_protocol.sse import read_events

STREAM = (
    b': running\n\nevent: output\ndata: {"text":"a\xe2\x80\xa8b\x0bc\\n"}\n\n'
    b": still running\n\nevent: execution\ndata: {}\n\n"
)


async def in_pieces(size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(STREAM), size):
        yield STREAM[start : start + size]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_are_the_same_in_whatever_pieces_they_come(size: int) -> None:
    events = [event async for event in read_events(in_pieces(size))]
    assert events == [
        ("output", b'{"text":"a\xe2\x80\xa8b\x0bc\\n"}'),
        ("execution", b"{}"),
    ]

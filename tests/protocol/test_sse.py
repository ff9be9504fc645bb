"""Server-sent events, however they come in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from mini_agent_protocol.sse import format_comment, format_event, format_retry, read_events

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


async def whole(text: str) -> AsyncIterator[bytes]:
    yield text.encode()


async def test_what_is_written_is_read_again_line_feeds_included() -> None:
    written = format_comment("hello") + format_event("a\nb", event="told", event_id="7")
    assert written == ": hello\n\nid: 7\nevent: told\ndata: a\ndata: b\n\n"
    assert [event async for event in read_events(whole(written))] == [("told", b"a\nb")]


def test_an_event_without_a_name_is_its_data_alone() -> None:
    assert format_event("{}") == "data: {}\n\n"
    assert format_retry(1000) == "retry: 1000\n\n"

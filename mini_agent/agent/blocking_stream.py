"""An asynchronous stream for plain code, on the private loop thread, ahead of its reader."""

from __future__ import annotations

import queue
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import TypeVar

from mini_agent.agent.sync import Running

Item = TypeVar("Item")


def stream_blocking(stream: AsyncGenerator[Item, None]) -> Generator[Item, None, None]:
    """What `stream` yields, and what it raises.

    Closing the iterator, dropping it, or an interrupt closes the stream and waits for that.
    """
    told: queue.SimpleQueue[tuple[Item, ...]] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async with aclosing(stream):
                async for item in stream:
                    told.put((item,))
        finally:
            told.put(())

    running = Running(pump())
    try:
        while item := told.get():
            yield item[0]
        running.result()
    finally:
        running.cancel()

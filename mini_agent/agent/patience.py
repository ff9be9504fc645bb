"""A model server that stays silent is asked a second time, beside the first; who answers counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, TypeVar

# A slow model is left its time; with less than this there is none to share.
LEAST_S: Final = 8.0
PART: Final = 0.5

Reply = TypeVar("Reply")
Ask = Callable[[], Coroutine[object, object, Reply]]


async def soonest(ask: Ask[Reply], remaining_s: float, on_silence: Callable[[], None]) -> Reply:
    """What `ask` comes to; after half of `remaining_s` without a word it is asked once more.

    `on_silence` is told so. The first reply counts, and an error only when there is no other.
    """
    if remaining_s < LEAST_S:
        return await ask()
    asked = [asyncio.ensure_future(ask())]
    try:
        done, _ = await asyncio.wait(asked, timeout=remaining_s * PART)
        if not done:
            on_silence()
            asked.append(asyncio.ensure_future(ask()))
        return await _first_reply(asked)
    finally:
        for each in asked:
            each.cancel()
        await asyncio.gather(*asked, return_exceptions=True)


async def _first_reply(asked: Sequence[asyncio.Future[Reply]]) -> Reply:
    waiting = set(asked)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        good = [each for each in done if not each.cancelled() and each.exception() is None]
        if good:
            return good[0].result()
        if not waiting:
            return next(iter(done)).result()

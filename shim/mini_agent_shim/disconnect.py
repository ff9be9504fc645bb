"""A caller who hangs up: what was being done for them stops."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.types import Receive

Result = TypeVar("Result")


class CallerGone(Exception):
    """The connection closed before the answer was there; nobody is left to read one."""


async def unless_gone(receive: Receive, work: Coroutine[object, object, Result]) -> Result:
    """The result of `work`, which is cancelled when the caller goes; then raises `CallerGone`."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise CallerGone
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.wait({working, leaving})
        _heard(working)


# What a cancelled run raised on its way out has no reader; asyncio would complain about it.
def _heard(task: asyncio.Task[Result]) -> None:
    if not task.cancelled():
        task.exception()


# The body has been read, so what the server still has to say is that the caller is gone.
async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""A client that disconnects: the work that was done for it is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive

# nginx's status for such a request; only logs and metrics see it.
CLIENT_CLOSED_REQUEST: Final = 499

Result = TypeVar("Result")


class ClientDisconnected(Exception):
    """The client closed the connection before the response was complete."""


async def run_while_connected(receive: Receive, work: Coroutine[object, object, Result]) -> Result:
    """Return the result of `work`; where the client disconnects, cancel it and raise
    `ClientDisconnected`.

    The body has to be read before: the next message of `receive` is then the disconnect.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientDisconnected
    finally:
        working.cancel()
        leaving.cancel()
        # Not gathered: to be cancelled here would cancel the work again, in its own cleanup.
        await asyncio.wait({working, leaving})
        _retrieve(working)
        _retrieve(leaving)


async def answer_disconnected(_request: Request, _error: Exception) -> Response:
    """Answer `ClientDisconnected`, as an exception handler of the app."""
    return Response(status_code=CLIENT_CLOSED_REQUEST)


# asyncio logs an exception that is never retrieved.
def _retrieve(task: asyncio.Task[Result]) -> None:
    if not task.cancelled():
        task.exception()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

"""Server-sent events as a response, which ends when the client disconnects."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mini_agent_protocol import sse
from mini_agent_protocol.asgi.disconnect import ClientDisconnected, run_while_connected

WRITE_TIMEOUT_S: Final = 60.0


class EventStreamResponse(Response):
    """Sends `texts`; an error before the first of them can still become another response.

    A client that disconnects, or reads nothing for `WRITE_TIMEOUT_S`, closes the iterator and
    raises `ClientDisconnected` inside `around`.
    """

    def __init__(
        self,
        texts: AsyncGenerator[str, None],
        around: AbstractAsyncContextManager[None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        fixed = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(media_type=sse.MEDIA_TYPE, headers={**fixed, **(headers or {})})
        # The length of a stream is not known.
        del self.headers["content-length"]
        self._texts = texts
        self._around = around or nullcontext()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; returning before its last piece makes the server hang up."""
        del scope
        with contextlib.suppress(ClientDisconnected):
            async with self._around:
                await run_while_connected(receive, self._send_all(send))

    async def _send_all(self, send: Send) -> None:
        async with aclosing(self._texts) as texts:
            first = await anext(texts)
            start = {"type": "http.response.start", "status": HTTPStatus.OK}
            await send({**start, "headers": self.raw_headers})
            await _write(send, first)
            async for text in texts:
                await _write(send, text)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def with_keepalive(
    texts: AsyncGenerator[str, None], comment: str, interval_s: float
) -> AsyncGenerator[str, None]:
    """Yield the texts, and a comment after each interval in which there was none."""
    async with aclosing(texts):
        while True:
            coming = asyncio.ensure_future(anext(texts, None))
            try:
                while not (await asyncio.wait({coming}, timeout=interval_s))[0]:
                    yield sse.format_comment(comment)
            finally:
                coming.cancel()
                await asyncio.wait({coming})
            text = coming.result()
            if text is None:
                return
            yield text


async def _write(send: Send, text: str) -> None:
    try:
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
    except TimeoutError:
        # A client that does not read is treated as disconnected.
        raise ClientDisconnected from None

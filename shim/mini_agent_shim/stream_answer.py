"""Server-sent events as an answer: each text as it comes, and signs of life in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from http import HTTPStatus
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mini_agent_shim.disconnect import CallerGone, unless_gone

MEDIA_TYPE: Final = "text/event-stream"
SILENCE_S: Final = 10.0
PATIENCE_S: Final = 60.0
ALIVE: Final = ": alive\n\n"


class StreamAnswer(Response):
    """Sends `texts`; what is raised before the first of them becomes a plain answer.

    A caller who leaves, or takes nothing for a minute, ends the iterator, and raises `CallerGone`
    through `around`.
    """

    def __init__(
        self,
        texts: AsyncGenerator[str, None],
        around: AbstractAsyncContextManager[None] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        fixed = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(media_type=MEDIA_TYPE, headers={**fixed, **(headers or {})})
        # Of a stream nobody knows the length.
        del self.headers["content-length"]
        self._texts = texts
        self._around = around or nullcontext()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The answer, as ASGI has it."""
        del scope
        # Returning early, before the last piece, makes the server hang up.
        with contextlib.suppress(CallerGone):
            async with self._around:
                await unless_gone(receive, self._sent(send))

    async def _sent(self, send: Send) -> None:
        async with aclosing(self._texts) as texts, aclosing(_lively(texts)) as lively:
            first = await anext(lively)
            start = {"type": "http.response.start", "status": HTTPStatus.OK}
            await send({**start, "headers": self.raw_headers})
            await _write(send, first)
            async for text in lively:
                await _write(send, text)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _lively(texts: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """The texts, and a sign of life after each while in which there was none."""
    while True:
        coming = asyncio.ensure_future(anext(texts, None))
        try:
            while not (await asyncio.wait({coming}, timeout=SILENCE_S))[0]:
                yield ALIVE
        finally:
            coming.cancel()
            await asyncio.wait({coming})
        text = coming.result()
        if text is None:
            return
        yield text


class _TakesNothing(CallerGone):
    """The caller is there and does not read, which is as good as gone."""


async def _write(send: Send, text: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})
    except TimeoutError:
        raise _TakesNothing from None

"""HTTP to the engine over its socket, which does not wait for an engine that is no longer there."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from http import HTTPStatus
from typing import Final

from pydantic import JsonValue

from codex_sidecar.engine.exchange import Answer, Exchange
from codex_sidecar.errors import EngineGone

CHANGE_S: Final = 30.0
ASK_S: Final = 10.0
CONNECT_S: Final = 2.0
DOUBT_S: Final = 2.0
SIGN_OF_LIFE_S: Final = 2.0
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 4.0
# Connections that are kept for the next call; after a crowd there are more than it takes.
MOST_IDLE: Final = 8


class Channel:
    """Calls with deadlines. Once the engine is found silent, calls fail at once for a while."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._silence = Silence()
        self._idle = deque[Exchange]()

    async def aclose(self) -> None:
        """Closes the connections."""
        while self._idle:
            await self._idle.pop().close()

    async def send(
        self, method: str, path: str, body: dict[str, JsonValue] | None = None
    ) -> Answer:
        """One call; `EngineGone` when nobody answers."""
        await self.require_engine()
        call = asyncio.create_task(self._request(method, path, body))
        try:
            # An engine may be slow, so long as it shows that it lives.
            while not (await asyncio.wait({call}, timeout=DOUBT_S))[0]:
                await self.require_sign_of_life()
            return call.result()
        finally:
            call.cancel()

    async def require_engine(self) -> None:
        """Raises `EngineGone` at once while the engine is known to be silent."""
        if not self._silence.is_on:
            return
        if not self._silence.may_ask():
            raise self.gone("it stopped answering a moment ago")
        await self.require_sign_of_life()

    async def require_sign_of_life(self) -> None:
        """Raises `EngineGone` unless the engine answers within a moment."""
        try:
            async with asyncio.timeout(SIGN_OF_LIFE_S):
                answer = await self._request("GET", "/_ping", None)
            if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise self.gone("who answers in its place does not reach it")
        except (TimeoutError, EngineGone) as silent:
            self._silence.begin()
            raise self.gone("it takes calls but does not answer") from silent
        self._silence.end()

    def gone(self, why: str | Exception) -> EngineGone:
        """The error of an engine that does not answer."""
        return EngineGone(
            f"the Docker Engine does not answer on {self._socket_path}: "
            f"{str(why) or type(why).__name__}",
            hint="is the daemon running, and may this process use its socket? It is tried again",
        )

    async def _request(self, method: str, path: str, body: dict[str, JsonValue] | None) -> Answer:
        try:
            async with asyncio.timeout(ASK_S if method == "GET" else CHANGE_S):
                return await self._exchanged(method, path, body)
        except OSError as broken:
            # A deadline that has passed is an OSError too.
            raise self.gone(broken) from broken

    async def _exchanged(self, method: str, path: str, body: dict[str, JsonValue] | None) -> Answer:
        exchange = await self._exchange()
        try:
            return await exchange.call(method, path, body)
        finally:
            if exchange.is_usable and len(self._idle) < MOST_IDLE:
                self._idle.append(exchange)
            else:
                await exchange.close()

    async def _exchange(self) -> Exchange:
        while self._idle:
            exchange = self._idle.pop()
            if exchange.is_usable:
                return exchange
            await exchange.close()
        async with asyncio.timeout(CONNECT_S):
            return await Exchange.open(self._socket_path)


class Silence:
    """How long nobody asks an engine that did not answer; longer each time, up to a bound."""

    def __init__(self) -> None:
        self._pause_s = 0.0
        self._until = 0.0

    @property
    def is_on(self) -> bool:
        """Whether the engine was silent when it was last heard of."""
        return self._pause_s > 0

    def may_ask(self) -> bool:
        """Whether it is time to ask again; true for one caller, the others go by what it finds."""
        if time.monotonic() < self._until:
            return False
        self._until = time.monotonic() + SIGN_OF_LIFE_S
        return True

    def begin(self) -> None:
        """The engine was asked, and did not answer."""
        self._pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * self._pause_s))
        self._until = time.monotonic() + self._pause_s

    def end(self) -> None:
        """The engine has answered."""
        self._pause_s = 0.0

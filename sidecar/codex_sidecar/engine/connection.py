"""HTTP/1.1 to the engine over its unix socket, with deadlines and a circuit breaker."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Self

import h11
from pydantic import JsonValue

from codex_sidecar.errors import EngineUnavailable

CHANGE_TIMEOUT_S: Final = 30.0
GET_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 2.0
PING_INTERVAL_S: Final = 2.0
PING_TIMEOUT_S: Final = 2.0
MIN_PAUSE_S: Final = 0.5
MAX_PAUSE_S: Final = 4.0
# Idle connections beyond these are closed, as a burst opens more than are used later.
MAX_IDLE_CONNECTIONS: Final = 8

MAX_HEAD_BYTES: Final = 65_536
MAX_BODY_BYTES: Final = 32 << 20
CHUNK_BYTES: Final = 65_536

Receive = Callable[[], Awaitable[bytes]]


class MalformedResponse(ConnectionError):
    """The engine's answer is not HTTP, too large, or ends too early."""


@dataclass(frozen=True, slots=True)
class EngineResponse:
    """The status and the body of an answer."""

    status: int
    body: bytes


class EngineTransport:
    """Sends requests with deadlines. While the engine is silent, they fail at once."""

    def __init__(self, socket_path: str) -> None:
        self._socket_path = socket_path
        self._breaker = CircuitBreaker()
        self._idle = deque[EngineConnection]()

    async def aclose(self) -> None:
        """Close the idle connections."""
        while self._idle:
            await self._idle.pop().close()

    async def send(
        self, method: str, path: str, body: dict[str, JsonValue] | None = None
    ) -> EngineResponse:
        """Send one request; raises `EngineUnavailable` when there is no answer."""
        await self.require_engine()
        request = asyncio.create_task(self._send_with_timeout(method, path, body))
        try:
            # A slow engine is waited for as long as it answers pings.
            while not (await asyncio.wait({request}, timeout=PING_INTERVAL_S))[0]:
                await self.ping()
            return request.result()
        finally:
            request.cancel()

    async def require_engine(self) -> None:
        """Raise `EngineUnavailable` at once while the engine is known to be silent."""
        if not self._breaker.is_open:
            return
        if not self._breaker.allows_probe():
            raise self.unavailable("it stopped answering a moment ago")
        await self.ping()

    async def ping(self) -> None:
        """Raise `EngineUnavailable` unless the engine answers within PING_TIMEOUT_S."""
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                response = await self._send_with_timeout("GET", "/_ping", None)
            if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise self.unavailable("who answers in its place does not reach it")
        except (TimeoutError, EngineUnavailable) as error:
            self._breaker.trip()
            raise self.unavailable("it takes calls but does not answer") from error
        self._breaker.reset()

    def unavailable(self, why: str | Exception) -> EngineUnavailable:
        """Build the error for an engine that does not answer."""
        return EngineUnavailable(
            f"the Docker Engine does not answer on {self._socket_path}: "
            f"{str(why) or type(why).__name__}",
            hint="is the daemon running, and may this process use its socket? It is tried again",
        )

    async def _send_with_timeout(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        try:
            async with asyncio.timeout(GET_TIMEOUT_S if method == "GET" else CHANGE_TIMEOUT_S):
                return await self._send_once(method, path, body)
        except OSError as error:
            # TimeoutError is an OSError too.
            raise self.unavailable(error) from error

    async def _send_once(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        connection = await self._acquire()
        try:
            return await connection.request(method, path, body)
        finally:
            if connection.is_usable and len(self._idle) < MAX_IDLE_CONNECTIONS:
                self._idle.append(connection)
            else:
                await connection.close()

    async def _acquire(self) -> EngineConnection:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
            await connection.close()
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            return await EngineConnection.open(self._socket_path)


class CircuitBreaker:
    """How long a silent engine is not asked; the pause doubles each time, up to MAX_PAUSE_S."""

    def __init__(self) -> None:
        self._pause_s = 0.0
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the engine did not answer the last time."""
        return self._pause_s > 0

    def allows_probe(self) -> bool:
        """Whether to ask again now; true for one caller, the others wait for its result."""
        if time.monotonic() < self._until:
            return False
        self._until = time.monotonic() + PING_TIMEOUT_S
        return True

    def trip(self) -> None:
        """Start the next pause, as the engine did not answer."""
        self._pause_s = min(MAX_PAUSE_S, max(MIN_PAUSE_S, 2 * self._pause_s))
        self._until = time.monotonic() + self._pause_s

    def reset(self) -> None:
        """Close the breaker, as the engine has answered."""
        self._pause_s = 0.0


class EngineConnection:
    """One keep-alive connection, used by one caller at a time; raises `OSError` when it breaks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http = create_http_state()

    @classmethod
    async def open(cls, socket_path: str) -> Self:
        """Open a connection to the socket."""
        return cls(*await asyncio.open_unix_connection(socket_path))

    @property
    def is_usable(self) -> bool:
        """Whether another request can be sent on it."""
        has_ended = self._reader.at_eof() or self._writer.is_closing()
        return self._http.our_state is h11.IDLE and not has_ended

    async def request(
        self, method: str, path: str, body: dict[str, JsonValue] | None
    ) -> EngineResponse:
        """Send one request and read its answer."""
        content = b"" if body is None else json.dumps(body).encode()
        fields = [("Content-Length", str(len(content)))]
        if body is not None:
            fields.append(("Content-Type", "application/json"))
        head = h11.Request(method=method, target=path, headers=[("Host", "engine"), *fields])
        self._writer.write(encode_request(self._http, head, content))
        await self._writer.drain()
        response = await self._read_response()
        if self._http.our_state is h11.DONE and not self._http.trailing_data[0]:
            self._http.start_next_cycle()
        return response

    async def close(self) -> None:
        """Close the connection and drop what is not sent yet."""
        self._writer.transport.abort()
        # The loop warns of a writer whose end is never awaited; its error does not matter.
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read_response(self) -> EngineResponse:
        status, body = 0, bytearray()
        while not isinstance(
            event := await read_event(self._http, self._receive), h11.EndOfMessage
        ):
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise MalformedResponse(f"an answer of more than {MAX_BODY_BYTES} bytes")
        return EngineResponse(status, bytes(body))

    async def _receive(self) -> bytes:
        return await self._reader.read(CHUNK_BYTES)


def create_http_state() -> h11.Connection:
    """Return the state of a fresh connection."""
    return h11.Connection(h11.CLIENT, MAX_HEAD_BYTES)


def encode_request(http: h11.Connection, head: h11.Request, content: bytes = b"") -> bytes:
    """Encode a whole request as bytes."""
    events = (head, h11.Data(data=content), h11.EndOfMessage())
    return b"".join(http.send(event) or b"" for event in events)


async def read_event(http: h11.Connection, receive: Receive) -> h11.Event:
    """Read the next event of an answer; raises `MalformedResponse` where there is none."""
    try:
        while not isinstance(event := http.next_event(), h11.Event):
            http.receive_data(await receive())
    except h11.RemoteProtocolError as error:
        has_ended = http.trailing_data[1]
        why = "it hung up before the end of its answer" if has_ended else f"it is not HTTP: {error}"
        raise MalformedResponse(why) from error
    return event

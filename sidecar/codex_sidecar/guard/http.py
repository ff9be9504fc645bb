"""The guard's HTTP/1.1: a strict parser of request heads, and a connection that buffers reads."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from codex_sidecar.guard.errors import MalformedRequest

MAX_HEAD_BYTES: Final = 8192
MAX_BODY_BYTES: Final = 65_536
DESCRIPTOR_HEADER: Final = "takes-descriptor"

_HEAD_END: Final = b"\r\n\r\n"
_MAX_BUFFERED: Final = MAX_HEAD_BYTES + MAX_BODY_BYTES
_REQUEST: Final = re.compile(r"([A-Z]{1,16}) (\S{1,1024}) HTTP/1\.1")
_TARGET: Final = re.compile(r"((?:/[A-Za-z0-9_:.-]+)+)(?:\?([^#]*))?")
_HEADER: Final = re.compile(r"([A-Za-z0-9-]{1,64}):[ \t]*([\x20-\x7e\t]*)")
# Headers that frame a body in another way, or make the sender wait.
_FORBIDDEN: Final = frozenset(
    ("transfer-encoding", "te", "trailer", "expect", "proxy-connection", "http2-settings")
)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What is used of a request's head; the rest is dropped."""

    method: str
    path: str
    query: str
    length: int
    upgrades: bool
    closes: bool
    takes_descriptor: bool = False


def parse_head(head: bytes) -> RequestHead:
    """Parse a head with its empty line; `MalformedRequest` where it is not plain HTTP/1.1."""
    lines = _split_lines(head)
    request = _REQUEST.fullmatch(lines[0])
    if request is None:
        raise MalformedRequest("the request line is not plain HTTP/1.1")
    method, target = request.groups()
    path, query = _parse_target(target)
    headers = _parse_headers(lines[1:])
    if "host" not in headers:
        raise MalformedRequest("there is no Host header")
    connection = headers.get("connection", "").lower()
    return RequestHead(
        method=method,
        path=path,
        query=query,
        length=_parse_length(headers.get("content-length", "0")),
        upgrades=_parse_upgrade(headers.get("upgrade"), connection),
        closes=connection == "close",
        takes_descriptor=headers.get(DESCRIPTOR_HEADER) == "1",
    )


def _split_lines(head: bytes) -> list[str]:
    try:
        text = head.decode("ascii")
    except UnicodeDecodeError as foreign:
        raise MalformedRequest("the head is not ASCII") from foreign
    lines = text.removesuffix("\r\n\r\n").split("\r\n")
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise MalformedRequest("a line does not end with CR LF")
    return lines


def _parse_target(target: str) -> tuple[str, str]:
    matched = _TARGET.fullmatch(target)
    if matched is None:
        raise MalformedRequest("the target is not a plain path")
    path, query = matched.groups()
    if any(part in {".", ".."} for part in path.split("/")):
        raise MalformedRequest("the path is not in its plain form")
    return path, query or ""


def _parse_headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        matched = _HEADER.fullmatch(line)
        if matched is None:
            raise MalformedRequest("a header is not of the form `Name: value`")
        name = matched[1].lower()
        if name in headers or name in _FORBIDDEN:
            raise MalformedRequest(f"the header {name} is there twice, or is never taken")
        headers[name] = matched[2].strip()
    return headers


def _parse_length(value: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,5}", value) or int(value) > MAX_BODY_BYTES:
        raise MalformedRequest(f"Content-Length is not a number up to {MAX_BODY_BYTES}")
    return int(value)


def _parse_upgrade(upgrade: str | None, connection: str) -> bool:
    is_requested = (upgrade, connection) == ("tcp", "upgrade")
    if not is_requested and (upgrade is not None or "upgrade" in connection):
        raise MalformedRequest("Upgrade is for tcp alone, with Connection: Upgrade")
    return is_requested


class Socket(Protocol):
    """The socket of a transport."""

    def fileno(self) -> int: ...


@runtime_checkable
class Transport(Protocol):
    """What asyncio's and uvloop's transports both do."""

    def get_extra_info(self, name: str) -> Socket: ...

    def write(self, data: bytes) -> None: ...

    def write_eof(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...

    def is_closing(self) -> bool: ...

    def close(self) -> None: ...


class BufferedConnection(asyncio.Protocol):
    """Reads heads and bodies; the rest is left to a protocol that takes over."""

    def __init__(self, opened: Callable[[BufferedConnection], None] = lambda _: None) -> None:
        self._opened = opened
        self._transport: Transport | None = None
        self._buffer = bytearray()
        self._is_paused = False
        self._changed = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self.has_ended = False

    @property
    def transport(self) -> Transport:
        """The transport; `EOFError` before there is one."""
        if self._transport is None:
            raise EOFError
        return self._transport

    @property
    def descriptor(self) -> int:
        """The file descriptor of its socket, as long as it is open."""
        return self.transport.get_extra_info("socket").fileno()

    def stop_reading(self) -> bool:
        """Stop reading; returns whether nothing is buffered and the stream is open."""
        self.transport.pause_reading()
        self._is_paused = True
        return not self._buffer and not self.has_ended

    async def read_head(self) -> bytes:
        """Read up to an empty line; `EOFError` where the connection ends before."""
        while (end := self._buffer.find(_HEAD_END, 0, MAX_HEAD_BYTES)) < 0:
            if len(self._buffer) >= MAX_HEAD_BYTES:
                raise MalformedRequest(f"the head is longer than {MAX_HEAD_BYTES} bytes")
            await self._wait_for_more()
        return self._take(end + len(_HEAD_END))

    async def read_body(self, length: int) -> bytes:
        """Read `length` bytes."""
        while len(self._buffer) < length:
            await self._wait_for_more()
        return self._take(length)

    async def wait_readable(self) -> None:
        """Return when there is something to read; `EOFError` at the end."""
        while not self._buffer:
            await self._wait_for_more()

    async def send(self, content: bytes) -> None:
        """Write, and wait while the other side does not read."""
        self.transport.write(content)
        await self._writable.wait()

    def hand_over(self, protocol: asyncio.Protocol) -> bytes:
        """Give the connection to a protocol; returns what was buffered."""
        self.transport.set_protocol(protocol)
        return self._take(len(self._buffer))

    def close(self) -> None:
        """Close the connection once everything is written."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and report the connection."""
        if isinstance(transport, Transport):
            self._transport = transport
        self._opened(self)

    def data_received(self, data: bytes) -> None:
        """Buffer the data; reading pauses above one request's size."""
        self._buffer += data
        if len(self._buffer) > _MAX_BUFFERED and not self._is_paused:
            self.transport.pause_reading()
            self._is_paused = True
        self._changed.set()

    def eof_received(self) -> bool:
        """Note the end of input; keep the connection open for output."""
        self._end()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Note the end; let writers continue."""
        self._end()
        self._writable.set()

    def pause_writing(self) -> None:
        """Let `send` wait."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Let `send` continue."""
        self._writable.set()

    def _end(self) -> None:
        self.has_ended = True
        self._changed.set()

    async def _wait_for_more(self) -> None:
        if self.has_ended:
            raise EOFError
        self._changed.clear()
        await self._changed.wait()

    def _take(self, length: int) -> bytes:
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        if self._is_paused and len(self._buffer) <= _MAX_BUFFERED:
            self._is_paused = False
            self.transport.resume_reading()
        return taken

"""The head of a request, read so strictly that no two readers could differ about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from codex_sidecar.guard.errors import Malformed

MOST_HEAD: Final = 8192
MOST_BODY: Final = 65_536
TAKES_DESCRIPTOR: Final = "takes-descriptor"

_REQUEST: Final = re.compile(r"([A-Z]{1,16}) (\S{1,1024}) HTTP/1\.1")
_TARGET: Final = re.compile(r"((?:/[A-Za-z0-9_:.-]+)+)(?:\?([^#]*))?")
_HEADER: Final = re.compile(r"([A-Za-z0-9-]{1,64}):[ \t]*([\x20-\x7e\t]*)")
# Whatever frames a body in another way, or makes the sender wait, has no use here.
_NEVER: Final = frozenset(
    ("transfer-encoding", "te", "trailer", "expect", "proxy-connection", "http2-settings")
)


@dataclass(frozen=True, slots=True)
class Head:
    """What is taken over of a request's head; everything else of it is dropped."""

    method: str
    path: str
    query: str
    length: int
    upgrades: bool
    closes: bool
    takes_descriptor: bool = False


def parse(head: bytes) -> Head:
    """The head, which ends with an empty line; `Malformed` where it is not plain HTTP/1.1."""
    lines = _lines(head)
    request = _REQUEST.fullmatch(lines[0])
    if request is None:
        raise Malformed("the request line is not plain HTTP/1.1")
    method, target = request.groups()
    path, query = _target(target)
    headers = _headers(lines[1:])
    if "host" not in headers:
        raise Malformed("there is no Host header")
    connection = headers.get("connection", "").lower()
    return Head(
        method=method,
        path=path,
        query=query,
        length=_length(headers.get("content-length", "0")),
        upgrades=_upgrades(headers.get("upgrade"), connection),
        closes=connection == "close",
        takes_descriptor=headers.get(TAKES_DESCRIPTOR) == "1",
    )


def _lines(head: bytes) -> list[str]:
    try:
        text = head.decode("ascii")
    except UnicodeDecodeError as foreign:
        raise Malformed("the head is not ASCII") from foreign
    lines = text.removesuffix("\r\n\r\n").split("\r\n")
    if any("\r" in line or "\n" in line or "\0" in line for line in lines):
        raise Malformed("a line does not end with CR LF")
    return lines


def _target(target: str) -> tuple[str, str]:
    matched = _TARGET.fullmatch(target)
    if matched is None:
        raise Malformed("the target is not a plain path")
    path, query = matched.groups()
    if any(part in {".", ".."} for part in path.split("/")):
        raise Malformed("the path is not in its plain form")
    return path, query or ""


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        matched = _HEADER.fullmatch(line)
        if matched is None:
            raise Malformed("a header is not of the form `Name: value`")
        name = matched[1].lower()
        if name in headers or name in _NEVER:
            raise Malformed(f"the header {name} is there twice, or is never taken")
        headers[name] = matched[2].strip()
    return headers


def _length(value: str) -> int:
    if not re.fullmatch(r"0|[1-9][0-9]{0,5}", value) or int(value) > MOST_BODY:
        raise Malformed(f"Content-Length is not a number up to {MOST_BODY}")
    return int(value)


def _upgrades(upgrade: str | None, connection: str) -> bool:
    asked = (upgrade, connection) == ("tcp", "upgrade")
    if not asked and (upgrade is not None or "upgrade" in connection):
        raise Malformed("Upgrade is for tcp alone, with Connection: Upgrade")
    return asked

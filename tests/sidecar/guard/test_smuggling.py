"""Requests that two readers could read differently. None of them reaches the engine."""

from __future__ import annotations

import pytest

from tests.sidecar.guard.conftest import Ask
from tests.sidecar.guard.recording_engine import RecordingEngine
from tests.sidecar.guard.socket_client import request

START = "/containers/mini-agent-sandbox-0123456789abcdef/start"
BUILD = b"POST /build HTTP/1.1\r\nHost: engine\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        request("GET", "/_ping", b"", "Content-Length: 0", "Content-Length: 38") + BUILD,
        request("GET", "/_ping", b"", "Content-Length: 38, 38") + BUILD,
        request("GET", "/_ping", b"", "Content-Length: +38") + BUILD,
        request("GET", "/_ping", b"", "Content-Length: 0x26") + BUILD,
        request("GET", "/_ping", b"", "Content-Length: -1") + BUILD,
        request("GET", "/_ping", b"", "Content-Length: 007") + BUILD,
        request("GET", "/_ping", b"", "Content-Length : 38") + BUILD,
        request("GET", "/_ping", b"", "Content-Length: 99999999"),
        request("GET", "/_ping", b"", "Transfer-Encoding: chunked") + b"0\r\n\r\n" + BUILD,
        request("GET", "/_ping", b"", "Transfer-Encoding: xchunked", "Content-Length: 4"),
        request("GET", "/_ping", b"", "transfer-encoding: identity"),
        request("GET", "/_ping", b"", "Expect: 100-continue"),
        request("GET", "/_ping", b"", "Host: other"),
        request("GET", "/_ping", b"", "X-One: 1", " folded"),
        request("GET", "/_ping", b"", "X-One: 1", "\tfolded"),
        request("GET", "/_ping", b"", "X One: 1"),
        request("GET", "/_ping", b"", ": nameless"),
        request("GET", "/_ping", b"", "X-One: a\rX-Two: b"),
        request("GET", "/_ping", b"", "X-One: a\nTransfer-Encoding: chunked"),
        request("GET", "/_ping", b"", "X-One: a\0b"),
        request("GET", "/_ping", b"", "X-One: \u00e9"),
        request("GET", "/_ping", b"", "Upgrade: h2c", "Connection: Upgrade"),
        request("GET", "/_ping", b"", "Upgrade: tcp", "Connection: Upgrade"),
        request("GET", "/_ping", b"", "Connection: keep-alive, Upgrade"),
        request("GET", "/_ping", b"", "X-Big: " + "x" * 9000),
        request("POST", f"{START}?a=" + "x" * 9000),
        b"GET /_ping HTTP/1.1\nHost: engine\n\n" + b" " * 8192,
        b"GET /_ping HTTP/1.1\r\nHost: engine\n\r\n\r\n",
        b"GET /_ping HTTP/1.1\r\n\r\n",
        b"GET /_ping HTTP/1.0\r\nHost: engine\r\n\r\n",
        b"GET /_ping HTTP/2.0\r\nHost: engine\r\n\r\n",
        b"GET  /_ping HTTP/1.1\r\nHost: engine\r\n\r\n",
        b"GET\t/_ping HTTP/1.1\r\nHost: engine\r\n\r\n",
        b"GET /_ping HTTP/1.1 \r\nHost: engine\r\n\r\n",
        b"get /_ping HTTP/1.1\r\nHost: engine\r\n\r\n",
        b"GET /_ping\r\nHost: engine\r\n\r\n",
        b"\r\nGET /_ping HTTP/1.1\r\nHost: engine\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        request("GET", "http://engine/_ping"),
        request("GET", "//_ping"),
        request("GET", "/containers//json"),
        request("GET", "/containers/json/"),
        request("GET", "/containers/../_ping"),
        request("GET", "/./_ping"),
        request("GET", "/%5fping"),
        request("GET", "/containers%2fjson"),
        request("GET", "/_ping%00"),
        request("GET", "/_ping#x"),
        request("GET", "/_ping;x"),
        request("GET", "\\_ping"),
        request("GET", "*"),
        request("CONNECT", "engine:80"),
    ],
)
async def test_a_request_that_is_not_plain_is_malformed(
    asked: Ask, engine: RecordingEngine, sent: bytes
) -> None:
    reply = await asked(sent)
    assert (reply.status, reply.refusal().error.code) == (400, "malformed")
    assert engine.asked() == []


async def test_after_a_malformed_request_its_connection_is_over(
    asked: Ask, engine: RecordingEngine
) -> None:
    reply = await asked(b"GET /_ping HTTP/1.0\r\n\r\n" + request("GET", "/_ping"))
    assert b"HTTP/1.1 200" not in reply.body
    assert engine.asked() == []


async def test_what_follows_a_request_is_a_request_of_its_own(
    asked: Ask, engine: RecordingEngine
) -> None:
    reply = await asked(request("GET", "/_ping") + BUILD + request("GET", "/_ping"))
    assert reply.status == 200
    assert reply.body.count(b"HTTP/1.1 403") == 1
    assert engine.asked() == ["GET /_ping"]


async def test_a_body_goes_with_create_alone(asked: Ask, engine: RecordingEngine) -> None:
    reply = await asked(request("POST", START, b'{"Privileged": true}'))
    assert reply.status == 403
    assert engine.asked() == []


async def test_half_a_request_is_no_request(asked: Ask, engine: RecordingEngine) -> None:
    reply = await asked(request("GET", "/_ping")[:-2])
    assert reply.status == 0
    assert engine.asked() == []

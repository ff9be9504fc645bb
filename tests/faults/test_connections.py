"""Connections that are slow, cut, half closed or full of tricks cost the service nothing."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import pytest

from mini_agent_protocol.asgi import body_limit
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import TOKEN
from tests.faults.invariants import held_by
from tests.faults.raw_client import connected, head, heard, status_of
from tests.faults.services import Platform
from tests.flow.leaving import sandboxes
from tests.shim.scripted import ScriptedModel
from tests.shim.serving import serve_app

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]

BEARER = f"Authorization: Bearer {TOKEN}"
KIND = "Content-Type: application/json"
SLEEPS = json.dumps({"language": "bash", "code": "sleep 60", "limits": {"timeout_s": 60}}).encode()
PRINTS = json.dumps({"language": "bash", "code": "echo 1"}).encode()
CHUNK = b"100000\r\n" + b" " * 0x100000 + b"\r\n"


def post(*fields: str) -> bytes:
    return head("POST", "/v1/execute", BEARER, KIND, *fields)


TRICKS = (
    post("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    post("Content-Length: 5", "Content-Length: 6") + b"{}",
    post("Content-Length: -1"),
    post("Transfer-Encoding: chunked") + b"zz\r\n",
    head("POST", "/v1/execute", "X: " + "x" * 200_000),
    head("GET", "/healthz", *(f"X-{number}: x" for number in range(20_000))),
    b"GET /healthz HTTP/1.1\nHost: x\n folded\n\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)


def test_requests_full_of_tricks_run_nothing(platform: Platform) -> None:
    assert {came_of(platform.sidecar.url, sent) for sent in TRICKS} <= {0, 200, 400, 401, 413, 431}
    assert sandboxes(platform.sidecar) == []


def came_of(url: str, sent: bytes) -> int:
    """The status of the answer, 0 where the connection was ended without one."""
    with connected(url) as line:
        with contextlib.suppress(OSError):
            line.sendall(sent)
            line.shutdown(socket.SHUT_WR)
        return status_of(heard(line))


def test_a_body_that_never_ends_is_refused_at_its_limit(platform: Platform) -> None:
    before = held_by(platform.sidecar)
    with connected(platform.sidecar.url) as line:
        line.sendall(post("Transfer-Encoding: chunked"))
        # What was refused is no longer read, so that at last nothing more can be sent.
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(1024):
                line.sendall(CHUNK)
                line.settimeout(5)
        assert held_by(platform.sidecar).mib < before.mib + 128
        with contextlib.suppress(TimeoutError):
            assert status_of(line.recv(65_536)) in {0, 413}


def test_who_leaves_in_the_middle_of_a_body_leaves_nothing(platform: Platform) -> None:
    with connected(platform.sidecar.url) as line:
        line.sendall(post("Content-Length: 1000") + SLEEPS)
    assert sandboxes(platform.sidecar) == []


def test_who_is_killed_in_the_middle_of_a_program_takes_it_along(platform: Platform) -> None:
    with connected(platform.sidecar.url) as line:
        line.sendall(post(f"Content-Length: {len(SLEEPS)}") + SLEEPS)
        until_one_runs(platform)
        # Reset, not closed, as by a client that is gone without a word.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def test_who_closes_its_half_counts_as_gone(platform: Platform) -> None:
    with connected(platform.sidecar.url) as line:
        line.sendall(post(f"Content-Length: {len(SLEEPS)}") + SLEEPS)
        until_one_runs(platform)
        line.shutdown(socket.SHUT_WR)
        assert status_of(heard(line)) in {0, 200, 400}


def test_five_hundred_idle_connections_keep_nobody_waiting(platform: Platform) -> None:
    with contextlib.ExitStack() as lines:
        for number in range(500):
            line = lines.enter_context(connected(platform.sidecar.url))
            line.sendall(head("GET", "/healthz") if number % 2 else b"GET /healthz HT")
        began = time.monotonic()
        assert platform.run("echo 1", "bash").stdout == "1\n"
        assert time.monotonic() - began < 20


def until_one_runs(platform: Platform) -> None:
    until = time.monotonic() + 20
    while not sandboxes(platform.sidecar):
        assert time.monotonic() < until, "it does not begin"
        time.sleep(0.05)
    time.sleep(0.5)


def test_a_body_that_comes_too_slowly_is_refused_by_the_shim_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(body_limit, "BODY_TIMEOUT_S", 0.3)
    asking = head("POST", "/agent/run", KIND, "Content-Length: 100", "Connection: close")
    with (
        serve_app(create_app(ShimSettings.model_validate({}), model=ScriptedModel([]))) as url,
        connected(url) as line,
    ):
        line.sendall(asking + b'{"mess')
        said = heard(line)
    assert status_of(said) == 408
    assert b'"message":"the body took longer than 0.3 s"' in said

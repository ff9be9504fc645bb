"""The scripted server as a server: connections, pace, faults, and what it leaves behind."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest

from mini_agent.testing import ScriptedServer, delayed, drip, garbage, half_closed, hang

TURN = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": False}


def ask(server: ScriptedServer, *, timeout: float = 10) -> httpx.Response:
    return httpx.post(f"{server.url}/api/chat", json=TURN, trust_env=False, timeout=timeout)


def test_it_says_that_it_runs_and_which_version() -> None:
    with ScriptedServer() as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/").text == "Ollama is running"
        assert client.get("/api/version").json() == {"version": "0.12.6"}


def test_head_brings_the_headers_alone() -> None:
    with ScriptedServer() as server, httpx.Client(base_url=server.url) as client:
        response = client.head("/")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["content-length"] == str(len("Ollama is running"))


def test_an_unknown_path_is_a_404_and_a_wrong_method_a_405() -> None:
    with ScriptedServer() as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/api/nope").text == "404 page not found"
        assert client.get("/api/chat").status_code == 405
        assert client.delete("/api/delete").status_code == 404


def test_a_connection_serves_one_request_after_the_other() -> None:
    with ScriptedServer(["one", "two"]) as server, httpx.Client(base_url=server.url) as client:
        ports = {
            client.post("/api/chat", json=TURN)
            .extensions["network_stream"]
            .get_extra_info("client_addr")
            for _ in range(2)
        }
    assert len(ports) == 1


def test_a_chunked_request_body_is_understood() -> None:
    chunks = iter((b'{"model":"m","stream":false,', b'"messages":[{"role":"user"}]}'))
    with ScriptedServer(["ok"]) as server:
        answered = httpx.post(f"{server.url}/api/chat", content=chunks, trust_env=False)
    assert answered.json()["message"]["content"] == "ok"


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it() -> None:
    body = b'{"model":"m","stream":false,"messages":[{"role":"user"}]}'
    head = b"POST /api/chat HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
    with (
        ScriptedServer(["ok"]) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as client,
    ):
        client.sendall(head % len(body))
        leave = client.recv(100)
        client.sendall(body)
        answer = client.recv(4096)
    assert leave == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    ],
)
def test_what_is_not_http_is_a_400(sent: bytes) -> None:
    with (
        ScriptedServer() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as client,
    ):
        client.sendall(sent)
        assert client.recv(4096).startswith(b"HTTP/1.1 400 Bad Request")


def test_a_hanging_model_never_answers() -> None:
    with ScriptedServer([hang()]) as server, pytest.raises(httpx.ReadTimeout):
        ask(server, timeout=0.2)


def test_leaving_drops_a_client_that_still_hangs() -> None:
    dropped = threading.Event()

    def wait() -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(server)
        dropped.set()

    waiting = threading.Thread(target=wait)
    with ScriptedServer([hang()]) as server:
        waiting.start()
        while not server.requests:
            time.sleep(0.01)
        left = time.monotonic()
    waiting.join()
    assert dropped.is_set()
    assert time.monotonic() - left < 15


def test_a_delayed_reply_is_late() -> None:
    with ScriptedServer([delayed("ok", 0.2)]) as server:
        began = time.monotonic()
        assert ask(server).json()["message"]["content"] == "ok"
    assert time.monotonic() - began >= 0.2


def test_a_dripping_body_comes_in_ten_parts() -> None:
    with (
        ScriptedServer([drip("ok", 0.03)]) as server,
        httpx.stream("POST", f"{server.url}/api/chat", json=TURN, trust_env=False) as response,
    ):
        parts = [*response.iter_raw()]
    assert len(parts) == 10
    assert b'"content": "ok"' in b"".join(parts)


def test_a_dripping_stream_comes_chunk_by_chunk() -> None:
    turn = {**TURN, "stream": True}
    with (
        ScriptedServer([drip("twelve chars", 0.03)]) as server,
        httpx.stream("POST", f"{server.url}/api/chat", json=turn, trust_env=False) as response,
    ):
        parts = [*response.iter_raw()]
    assert len(parts) == 4


@pytest.mark.parametrize("stream", [True, False])
def test_a_half_closed_answer_is_never_whole(stream: bool) -> None:
    turn = {**TURN, "stream": stream}
    with (
        ScriptedServer([half_closed("never whole")]) as server,
        pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"),
    ):
        httpx.post(f"{server.url}/api/chat", json=turn, trust_env=False)


def test_garbage_is_whatever_a_proxy_would_say() -> None:
    with ScriptedServer([garbage(), garbage("{", status=502, media_type="a/b")]) as server:
        page, broken = ask(server), ask(server)
    assert page.headers["content-type"] == "text/html"
    assert "<h1>502 Bad Gateway</h1>" in page.text
    assert (broken.status_code, broken.text, broken.headers["content-type"]) == (502, "{", "a/b")


def test_many_clients_at_once_are_all_answered() -> None:
    with ScriptedServer(["ok"], repeat_last=True) as server:
        clients = [threading.Thread(target=ask, args=(server,)) for _ in range(20)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
    assert len(server.requests) == 20
    assert len({request.number for request in server.requests}) == 20


async def test_it_serves_the_event_loop_that_its_block_is_in() -> None:
    with ScriptedServer(["ok"]) as server:
        async with httpx.AsyncClient(trust_env=False) as client:
            answered = await client.post(f"{server.url}/api/chat", json=TURN)
    assert answered.json()["message"]["content"] == "ok"


def test_nothing_runs_or_listens_after_the_block() -> None:
    with ScriptedServer() as server:
        httpx.get(server.url, trust_env=False)
    assert not [one for one in threading.enumerate() if one.name.startswith("scripted")]
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url, trust_env=False)


def test_a_taken_port_is_an_error_at_the_block_s_beginning() -> None:
    with ScriptedServer() as server, pytest.raises(OSError, match="in use"):
        ScriptedServer(port=server.port).__enter__()


def test_the_log_shows_what_was_asked_and_leaves_itself_out() -> None:
    with ScriptedServer(["ok"]) as server:
        ask(server)
        httpx.post(f"{server.url}/api/show", json={"name": "m"}, trust_env=False)
        httpx.get(f"{server.url}/__log", trust_env=False)
        log = httpx.get(f"{server.url}/__log", trust_env=False).json()
    assert [(entry["number"], entry["path"]) for entry in log] == [
        (1, "/api/chat"),
        (2, "/api/show"),
    ]
    assert log[0]["messages"] == [{"role": "user", "content": "hi"}]
    assert (log[0]["model"], log[0]["stream"], log[0]["tools"]) == ("m", False, [])


def test_probes_are_traffic_but_not_requests_for_an_answer() -> None:
    with ScriptedServer(["ok"]) as server:
        httpx.post(f"{server.url}/api/show", json={"name": "m"}, trust_env=False)
        ask(server)
    assert [request.path for request in server.requests] == ["/api/chat"]
    assert [request.path for request in server.traffic] == ["/api/show", "/api/chat"]

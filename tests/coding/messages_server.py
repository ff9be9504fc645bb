"""A model server in Anthropic's format, which answers every question with one text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from mini_agent.messages import JsonObject

ANSWER = "I see what was done."


@contextmanager
def messages_server() -> Iterator[tuple[str, list[JsonObject]]]:
    """Its address, and the bodies of the requests it has answered."""
    asked: list[JsonObject] = []

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if self.path.split("?")[0].endswith("/messages"):
                asked.append(body)
            self._send(b"".join(_events()))

        def do_HEAD(self) -> None:
            self._send(b"")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            del format, args

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def _events() -> Iterator[bytes]:
    message: JsonObject = {
        "id": "msg_scripted",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 5, "output_tokens": 1},
    }
    block: JsonObject = {"type": "text", "text": ""}
    delta: JsonObject = {"type": "text_delta", "text": ANSWER}
    ends: JsonObject = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _event("message_start", message=message)
    yield _event("content_block_start", index=0, content_block=block)
    yield _event("content_block_delta", index=0, delta=delta)
    yield _event("content_block_stop", index=0)
    yield _event("message_delta", delta=ends, usage={"output_tokens": 3})
    yield _event("message_stop")


def _event(kind: str, **own: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **own})}\n\n".encode()

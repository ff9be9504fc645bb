"""A scripted model server that speaks Anthropic's messages API."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final, TypeAlias

from mini_agent.messages import JsonObject
from tests.coding.transcript_lines import text_block

ANSWER: Final = "I see what was done."
Turn: TypeAlias = Sequence[JsonObject]
DEFAULT_TURN: Final[Turn] = (text_block(ANSWER),)


@contextmanager
def messages_server(*turns: Turn) -> Iterator[tuple[str, list[JsonObject]]]:
    """Serve `turns`; yield the address and the bodies of the requests.

    The turn is found from the calls in the request; the last one repeats.
    """
    requests: list[JsonObject] = []

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if not self.path.split("?")[0].endswith("/messages"):
                return self._send(b"{}")
            requests.append(body)
            return self._send(b"".join(_events(_turn(turns or (DEFAULT_TURN,), body))))

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
        yield f"http://127.0.0.1:{server.server_address[1]}", requests
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


def blocks(request: JsonObject, kind: str) -> list[JsonObject]:
    """Return the blocks of one type in the messages of a request."""
    messages = request["messages"]
    assert isinstance(messages, list)
    contents = [m["content"] for m in messages if isinstance(m, dict)]
    return [
        block
        for content in contents
        if isinstance(content, list)
        for block in content
        if isinstance(block, dict) and block.get("type") == kind
    ]


def _turn(turns: Sequence[Turn], request: JsonObject) -> Turn:
    made = {str(block["id"]) for block in blocks(request, "tool_use")}
    return next((turn for turn in turns if not _calls(turn) or _calls(turn) - made), turns[-1])


def _calls(turn: Turn) -> set[str]:
    return {str(block["id"]) for block in turn if block["type"] == "tool_use"}


def _events(turn: Turn) -> Iterator[bytes]:
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
    reason = "tool_use" if _calls(turn) else "end_turn"
    ends: JsonObject = {"stop_reason": reason, "stop_sequence": None}
    yield _event("message_start", message=message)
    for place, block in enumerate(turn):
        begun, delta = _in_pieces(block)
        yield _event("content_block_start", index=place, content_block=begun)
        yield _event("content_block_delta", index=place, delta=delta)
        yield _event("content_block_stop", index=place)
    yield _event("message_delta", delta=ends, usage={"output_tokens": 3})
    yield _event("message_stop")


def _in_pieces(block: JsonObject) -> tuple[JsonObject, JsonObject]:
    if block["type"] == "text":
        return {"type": "text", "text": ""}, {"type": "text_delta", "text": block["text"]}
    written = json.dumps(block["input"])
    return {**block, "input": {}}, {"type": "input_json_delta", "partial_json": written}


def _event(kind: str, **own: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **own})}\n\n".encode()

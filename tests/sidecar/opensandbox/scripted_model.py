"""A model behind OpenAI's two wires: it computes with its tool, and says what came of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import JsonValue, TypeAdapter

RUNS = (
    "from itertools import groupby\n"
    "text = ''.join(f'{letter}{len(list(run))}' for letter, run in groupby('aaabbc'))\n"
    "print(text)\n"
    "_ = open('runs.txt', 'w').write(text)\n"
)
CALLED = json.dumps({"code": RUNS})

Object = dict[str, JsonValue]
OBJECT = TypeAdapter(dict[str, JsonValue])
OBJECTS = TypeAdapter(list[Object])


class _Coder(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = OBJECT.validate_json(self.rfile.read(int(self.headers["Content-Length"])))
        answer = responded(asked) if self.path.endswith("/responses") else chatted(asked)
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


def chatted(asked: Object) -> Object:
    """The answer on `/chat/completions`."""
    last = OBJECTS.validate_python(asked["messages"])[-1]
    message: Object = {"role": "assistant", "content": said(last["content"])}
    if last["role"] != "tool":
        called: Object = {"name": tool(asked), "arguments": CALLED}
        call: Object = {"id": "call_1", "type": "function", "function": called}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    finish = "stop" if last["role"] == "tool" else "tool_calls"
    choice: Object = {"index": 0, "finish_reason": finish, "message": message}
    usage: Object = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    head: Object = {"id": "chat_1", "object": "chat.completion", "created": 1, "model": "m"}
    return head | {"choices": [choice], "usage": usage}


def responded(asked: Object) -> Object:
    """The answer on `/responses`."""
    given = asked["input"]
    last = OBJECTS.validate_python(given)[-1] if isinstance(given, list) else {}
    output: Object = {
        "type": "function_call",
        "id": "fc_1",
        "call_id": "call_1",
        "name": tool(asked),
        "arguments": CALLED,
        "status": "completed",
    }
    if last.get("type") == "function_call_output":
        text: Object = {"type": "output_text", "text": said(last["output"]), "annotations": []}
        output = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
        output["content"] = [text]
    head: Object = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m"}
    settings: Object = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    usage: Object = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    return head | settings | {"status": "completed", "output": [output], "usage": usage}


def said(printed: JsonValue) -> str:
    return f"It is {str(printed).strip()}."


def tool(asked: Object) -> JsonValue:
    """The first of those it was offered, in either wire's words."""
    first = OBJECTS.validate_python(asked["tools"])[0]
    return OBJECT.validate_python(first.get("function", first))["name"]


@contextmanager
def coder() -> Iterator[str]:
    """Its address, for `openai/` models, while the block runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Coder) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
            serving.join()

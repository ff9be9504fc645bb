"""The suite's tools behind HTTP, for agents in processes of their own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from mini_agent.messages import function_call, parse_json_object
from mini_agent.tools.invoker import ToolOutput
from tests.behaviours.recording_invoker import RecordingInvoker


class ToolService(ThreadingHTTPServer):
    """Calls the tools of `invoker`, which is a new one for each run."""

    invoker = RecordingInvoker()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


@contextmanager
def tool_service() -> Iterator[ToolService]:
    """A service that listens until the block is left."""
    with ToolService(("127.0.0.1", 0), _Calls) as service:
        Thread(target=service.serve_forever, daemon=True).start()
        yield service
        service.shutdown()


class _Calls(BaseHTTPRequestHandler):
    server: ToolService

    def do_POST(self) -> None:
        call = parse_json_object(self.rfile.read(int(self.headers["Content-Length"])).decode())
        arguments = call["arguments"]
        call = function_call(
            "1", str(call["name"]), arguments if isinstance(arguments, dict) else {}
        )
        text = _as_text(asyncio.run(self.server.invoker.call_openai_tool(call)))
        body = json.dumps({"text": text}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nothing: the runs are what is told."""


def _as_text(output: ToolOutput) -> str:
    """What a plain tool of this kind answers with."""
    if output.ok:
        return output.stdout
    return f"exit code {output.rc}\n{output.stdout}{output.stderr or output.error}"

"""An MCP server over HTTP whose refusals, sessions and answers a test writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mini_agent_shim.mcp.gateway_main import listen

TOOL = {"name": "add", "description": "d", "inputSchema": {"type": "object"}}
Answer = Callable[[dict[str, object]], Response | None]


@dataclass
class ScriptedHttp:
    """Answers what `refuse` leaves; notes the calls that it carries out, and all sessions."""

    refuse: Answer = lambda _request: None
    calls: list[object] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    known: set[str] = field(default_factory=set)
    forgets: Callable[[dict[str, object]], Response] | None = None
    url: str = ""

    async def answer(self, request: Request) -> Response:
        """Answer one request as the protocol of 2025 has it."""
        if request.method != "POST":
            return Response(status_code=405)
        message = json.loads(await request.body())
        refused = self.refuse(message)
        if refused is not None:
            return refused
        if "id" not in message:
            return Response(status_code=202)
        return self._answer_known(message, request.headers.get("mcp-session-id", ""))

    def _answer_known(self, message: dict[str, object], session: str) -> Response:
        if message["method"] == "server/discover":
            return error(message, -32601, "Method not found", 404)
        if message["method"] == "initialize":
            self.sessions.append(f"s{len(self.sessions) + 1}")
            self.known.add(self.sessions[-1])
            return result(message, INITIALIZED, {"mcp-session-id": self.sessions[-1]})
        if session not in self.known and self.forgets is not None:
            return self.forgets(message)
        if message["method"] == "tools/list":
            return result(message, {"tools": [TOOL]})
        self.calls.append(message["params"])
        return result(message, {"content": [{"type": "text", "text": "3"}]})


INITIALIZED: dict[str, object] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "scripted", "version": "1"},
}


def result(
    message: dict[str, object], body: dict[str, object], headers: dict[str, str] | None = None
) -> Response:
    """Return a result."""
    return reply({"jsonrpc": "2.0", "id": message["id"], "result": body}, 200, headers)


def error(message: dict[str, object], code: int, text: str, status: int = 200) -> Response:
    """Return a JSON-RPC error."""
    body = {"jsonrpc": "2.0", "id": message.get("id"), "error": {"code": code, "message": text}}
    return reply(body, status)


def reply(body: object, status: int, headers: dict[str, str] | None = None) -> Response:
    """Return JSON."""
    return Response(json.dumps(body), status, headers, "application/json")


@asynccontextmanager
async def serving(script: ScriptedHttp) -> AsyncIterator[ScriptedHttp]:
    """Serve; `url` is its address."""
    app = Starlette(routes=[Route("/mcp", script.answer, methods=["GET", "POST", "DELETE"])])
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        running = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110  uvicorn tells nobody
            await asyncio.sleep(0.01)
        script.url = f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        yield script
        server.should_exit = True
        await running

"""Models and sidecars for the shim's tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from mini_agent.errors import ErrorBody, Problem
from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall
from mini_agent.sandbox import EnforcedLimits, Execution, Output, Rich, SandboxFacts, Snippet
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.faults.disclosure import require_problem_response

LIMITS = EnforcedLimits(
    timeout_s=10, memory_mb=256, cpus=1, pids=64, output_bytes=65536, workspace_mb=64
)
EVENTS = "text/event-stream"
PIECE = 1 << 16


@dataclass
class ScriptedModel:
    """Says its replies in order and keeps what it was asked."""

    replies: list[ModelReply]
    requests: list[ModelRequest] = field(default_factory=list)

    async def reply(self, request: ModelRequest) -> ModelReply:
        self.requests.append(request)
        return self.replies[len(self.requests) - 1]


@dataclass
class SilentModel:
    """Never answers, and remembers that it was cancelled."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def reply(self, request: ModelRequest) -> ModelReply:
        del request
        self.asked.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return ModelReply(text="too late")


def text_turn(text: str) -> ModelReply:
    return ModelReply(text=text)


def program_turn(code: str, tool: str = "exec_python") -> ModelReply:
    call = ToolCall("call_1", tool, f'{{"code": "{code}"}}')
    return ModelReply(tool_calls=(call,), finish_reason="tool_calls")


@dataclass
class ScriptedSidecar:
    """A sidecar that prints what it is told to, whatever it is sent."""

    prints: str = "42\n"
    token: str = "token"
    ready: bool = True
    image_id: str = ""
    rich: tuple[Rich, ...] = ()
    snippets: list[Snippet] = field(default_factory=list)
    callers: list[str | None] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/execute", self._execute, methods=["POST"]),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
            ]
        )

    async def _execute(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _problem(401, "unauthorized", "wrong token")
        snippet = Snippet.model_validate_json(await request.body())
        self.snippets.append(snippet)
        self.callers.append(request.headers.get("x-caller"))
        execution = Execution(
            language=snippet.language,
            status="ok",
            exit_code=0,
            stdout=self.prints,
            rich=self.rich,
            limits=LIMITS,
            sandbox=SandboxFacts(image="scripted", image_id=self.image_id, runtime="none"),
        )
        if EVENTS in request.headers.get("accept", ""):
            return Response(self._told(execution), media_type=EVENTS)
        return JSONResponse(execution.model_dump())

    def _told(self, execution: Execution) -> str:
        starts = range(0, len(self.prints), PIECE)
        parts = [Output(stream="stdout", text=self.prints[at : at + PIECE]) for at in starts]
        told = "".join(f"event: output\ndata: {part.model_dump_json()}\n\n" for part in parts)
        return f"{told}event: execution\ndata: {execution.model_dump_json()}\n\n"

    async def _readyz(self, request: Request) -> JSONResponse:
        del request
        if self.ready:
            return JSONResponse({"ok": True})
        return _problem(503, "engine_away", "the engine is away")

    async def _metrics(self, request: Request) -> Response:
        del request
        levels = {"python": 2, "node": 1}
        lines = [f'sidecar_pool_level{{pool="{name}"}} {n}.0' for name, n in levels.items()]
        return Response("\n".join(["# HELP sidecar_pool_level Warm sandboxes.", *lines]))


def _problem(status: int, code: str, message: str) -> JSONResponse:
    body = ErrorBody(code=code, message=message, hint="start it", retryable=status == 503)
    return JSONResponse(Problem(error=body).model_dump(), status_code=status)


@asynccontextmanager
async def open_client(
    model: Model, settings: ShimSettings | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a shim in this process."""
    app: FastAPI = create_app(settings or ShimSettings(), model=model)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=transport,
            base_url="http://localhost",
            event_hooks={"response": [require_problem_response]},
        ) as client,
    ):
        yield client

"""The HTTP application: its routes, and the life of what is behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final, TypeVar

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from codex_sidecar import access
from codex_sidecar.catalog import Catalog
from codex_sidecar.dispatcher import Dispatcher
from codex_sidecar.door import Door
from codex_sidecar.engine import Engine
from codex_sidecar.errors import RefusedRequest
from codex_sidecar.intake import snippet_of
from codex_sidecar.languages import Languages
from codex_sidecar.openapi import SNIPPET_BODY, describe
from codex_sidecar.pool import Pool, Terms
from codex_sidecar.problems import answer
from codex_sidecar.readiness import Readiness
from codex_sidecar.reaper import Reaper
from codex_sidecar.settings import Settings
from codex_sidecar.turns import Turns
from mini_agent.errors import MiniAgentError, Problem
from mini_agent.sandbox import Execution

CLIENT_GONE: Final = 499
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes use."""

    dispatcher: Dispatcher
    readiness: Readiness
    token: str


def create_app(settings: Settings, token: str) -> FastAPI:
    """The application over the engine that the settings name."""
    app = FastAPI(
        title="codex sidecar",
        version=version("codex-sidecar"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(settings, token),
    )
    app.add_middleware(Door)
    app.exception_handler(MiniAgentError)(_on_error)
    app.exception_handler(HTTPException)(_on_http_error)
    _add_routes(app)
    return app


def _lifespan(
    settings: Settings, token: str
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = Engine(settings.docker_socket)
        catalog = Catalog(settings.image_prefix, settings.image_tag)
        terms = Terms(settings.instance_name(), settings.runtime, 2 * settings.at_once)
        pool = Pool(engine, catalog, terms)
        turns = Turns(settings.at_once, settings.waiting)
        dispatcher = Dispatcher(engine, catalog, pool, turns)
        reaper = Reaper(engine, terms.instance, lambda: pool.alive)
        readiness = Readiness(engine, catalog, settings.runtime, dispatcher)
        app.state.service = Service(dispatcher, readiness, token)
        # What a predecessor left behind goes before the first snippet comes.
        await reaper.round()
        rounds = asyncio.create_task(reaper.run())
        yield
        rounds.cancel()
        with suppress(asyncio.CancelledError):
            await rounds
        await pool.aclose()
        await engine.aclose()

    return lifespan


def _add_routes(app: FastAPI) -> None:
    problems: dict[int | str, dict[str, object]] = {
        code: {"model": Problem} for code in (400, 401, 413, 415, 422, 429, 500, 503)
    }

    @app.post(
        "/v1/execute",
        response_model=Execution,
        responses=problems,
        openapi_extra=SNIPPET_BODY,
        summary="Run one snippet in a fresh sandbox",
    )
    async def execute(request: Request) -> Response:
        service = _admitted(request)
        snippet = await snippet_of(request)
        execution = await _while_connected(request, service.dispatcher.run(snippet))
        if execution is None:
            return Response(status_code=CLIENT_GONE)
        request.state.noted = {"language": execution.language, "outcome": execution.status}
        return Response(execution.model_dump_json(), media_type="application/json")

    @app.get("/v1/languages", summary="What can be run, and with which limits")
    async def languages(request: Request) -> Languages:
        return await _admitted(request).dispatcher.languages()

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi(request: Request) -> JSONResponse:
        _admitted(request)
        return JSONResponse(describe(app))

    @app.get("/healthz", summary="This process is alive")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @app.get("/readyz", responses={503: {"model": Problem}}, summary="Snippets can run")
    async def readyz(request: Request) -> dict[str, bool]:
        await _service(request).readiness.check()
        return {"ok": True}


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _admitted(request: Request) -> Service:
    service = _service(request)
    access.require(service.token, request.headers.get("authorization", ""))
    return service


async def _while_connected(request: Request, work: Awaitable[Value]) -> Value | None:
    """The work's value, or None when the client left first; the work is then cancelled."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        # What the work has to say after its client has left is of no use to anybody.
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _on_error(request: Request, error: MiniAgentError) -> Response:
    request.state.noted = {"error": error.code}
    return answer(error, request.state.request_id)


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    what = f"{request.method} {request.url.path}: {error.detail}"
    return answer(RefusedRequest(error.status_code, what), request.state.request_id)

"""The HTTP application: its middleware and routes, and the lifespan of the services behind them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from importlib.metadata import version

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from codex_sidecar import metrics
from codex_sidecar.api.opensandbox.routes import router as opensandbox_router
from codex_sidecar.api.readiness import ReadinessGate
from codex_sidecar.api.routes import router
from codex_sidecar.api.service import Service
from codex_sidecar.api.sessions import router as session_router
from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import ImageCatalog
from codex_sidecar.engine.limits import Machine
from codex_sidecar.engine.reaper import Reaper
from codex_sidecar.errors import RefusedRequest
from codex_sidecar.execution.dispatcher import Dispatcher
from codex_sidecar.execution.fair_queue import FairQueue
from codex_sidecar.execution.self_test import SelfTest
from codex_sidecar.http.middleware import REQUEST_ID_BYTES, UnforeseenErrorMiddleware, log_access
from codex_sidecar.http.problems import create_error_response
from codex_sidecar.pool.fleet import InstanceConfig
from codex_sidecar.pool.lifecycle import Drain, StockSizes, open_pool
from codex_sidecar.sessions.registry import SessionRegistry
from codex_sidecar.sessions.session import SessionDependencies
from codex_sidecar.settings import Settings
from mini_agent_protocol.asgi.access_log import AccessLogMiddleware
from mini_agent_protocol.asgi.request_id import RequestIdMiddleware
from mini_agent_protocol.errors import MiniAgentError


def create_app(settings: Settings, token: str) -> FastAPI:
    """Build the application for the engine that the settings name."""
    app = FastAPI(
        title="codex sidecar",
        version=version("codex-sidecar"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan(settings, token),
    )
    app.add_middleware(UnforeseenErrorMiddleware)
    app.add_middleware(AccessLogMiddleware, write=log_access)
    app.add_middleware(RequestIdMiddleware, id_bytes=REQUEST_ID_BYTES)
    app.exception_handler(MiniAgentError)(_on_error)
    app.exception_handler(HTTPException)(_on_http_error)
    app.include_router(router)
    app.include_router(session_router)
    app.include_router(opensandbox_router)
    return app


def _lifespan(
    settings: Settings, token: str
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = Engine(settings.docker_socket)
        catalog = ImageCatalog(settings.image_prefix, settings.image_tag)
        config = InstanceConfig(settings.instance_name(), settings.runtime)
        machine = Machine(engine, settings.runtime)
        sizes = StockSizes(settings.warm, settings.warm_cap)
        async with open_pool(engine, catalog, config, machine, sizes) as pool:
            queue = FairQueue(settings.at_once, settings.waiting)
            dispatcher = Dispatcher(engine, catalog, machine, pool, queue)
            reaper = Reaper(engine, config.instance, lambda: pool.alive)
            self_test = SelfTest(dispatcher, settings.runtime, settings.at_once)
            readiness = ReadinessGate(engine, catalog, settings.runtime, self_test)
            sessions = SessionRegistry(SessionDependencies(machine, pool, queue), settings.sessions)
            app.state.drain = Drain(readiness, queue, pool, settings.drain_s)
            app.state.service = Service(dispatcher, sessions, readiness, token)
            # Sandboxes of a predecessor are removed before the first snippet runs.
            await reaper.run_once()
            tasks = [asyncio.create_task(work) for work in (reaper.run(), sessions.run())]
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await sessions.aclose()
        await engine.aclose()

    return lifespan


async def _on_error(request: Request, error: MiniAgentError) -> Response:
    request.state.noted = {"error": error.code}
    metrics.record_error(error.code)
    return create_error_response(error)


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    what = f"{request.method} {request.url.path}: {error.detail}"
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_allowed_methods(request)))
    refused = RefusedRequest(error.status_code, what)
    return create_error_response(refused, headers)


def _allowed_methods(request: Request) -> set[str]:
    """Return the methods of all routes that match this path."""
    return {
        method
        for route in request.app.routes
        if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE
        for method in route.methods or ()
    }

"""The shim as an ASGI app.

LiteLLM, loaded ahead of the first run, and what only its loading needed given back.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import os
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from mini_agent.model import Model
from mini_agent.models.cache import create_litellm_model
from mini_agent.models.litellm_runtime import close_litellm_clients, load_litellm
from mini_agent_protocol.asgi.access_log import AccessLogMiddleware
from mini_agent_protocol.asgi.body_limit import BodyLimitMiddleware
from mini_agent_protocol.asgi.disconnect import ClientDisconnected, answer_disconnected
from mini_agent_protocol.asgi.request_id import RequestIdMiddleware
from mini_agent_shim.api.run_history import RunsRoutes
from mini_agent_shim.api.runs import Routes
from mini_agent_shim.http.auth import (
    WITHOUT_TOKEN,
    Admission,
    Door,
    Tokens,
    names_of_this_host,
    tokens_in,
)
from mini_agent_shim.http.middleware import log_access
from mini_agent_shim.http.problems import answer_with_problems, refuse_body
from mini_agent_shim.http.tracing import NOT_BY_FASTAPI, Traces, flush_spans
from mini_agent_shim.mcp.endpoint import SandboxMcp
from mini_agent_shim.mcp.servers import McpServers
from mini_agent_shim.openai.routes import OpenAiRoutes
from mini_agent_shim.runs.redaction import secrets_of_environment
from mini_agent_shim.runs.registry import Capacity, Registry
from mini_agent_shim.runs.store import Archive, Keeping
from mini_agent_shim.service import Service
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar import SidecarLine
from mini_agent_shim.web.files import page_files, page_routes
from mini_agent_shim.web.status import Standing


async def load_litellm() -> None:
    """Takes seconds; afterwards a run does not have to wait for it."""
    await load_litellm()
    await asyncio.to_thread(give_back)


def give_back() -> None:
    """Memory that was needed for a while alone goes back to the system, where glibc has it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def create_app(settings: ShimSettings, *, model: Model | None = None) -> FastAPI:
    """The app; `model` replaces LiteLLM."""
    line = SidecarLine(settings)
    sandboxes = SandboxMcp(line.client, settings.languages)
    speaker = model or create_litellm_model(settings.ollama_address, settings.redis_url)
    servers = McpServers(settings)
    service = Service(settings, line, servers, speaker, _registry(settings))
    # Its /docs page fetches nothing from elsewhere.
    app = FastAPIOffline(
        title="mini-agent",
        summary="An agent loop whose snippets run in short-lived sealed sandboxes.",
        version=version("mini-agent"),
        redoc_url=None,
        lifespan=_lifespan_of(service, sandboxes, loads=model is None),
        telemetry=NOT_BY_FASTAPI,
    )
    page = page_files()
    app.router.routes.extend([sandboxes.endpoint.route, *page_routes(page)])
    app.include_router(Routes(service).router())
    app.include_router(RunsRoutes(service.runs).router())
    app.include_router(Standing(settings, line).router())
    app.include_router(OpenAiRoutes(service).router())
    app.exception_handler(ClientDisconnected)(answer_disconnected)
    answer_with_problems(app)
    app.add_middleware(BodyLimitMiddleware, refuse=refuse_body)
    app.add_middleware(Door, admission=_admission(settings, page))
    app.add_middleware(AccessLogMiddleware, write=log_access)
    app.add_middleware(Traces)
    app.add_middleware(RequestIdMiddleware)
    return app


def _admission(settings: ShimSettings, page: Iterable[str]) -> Admission:
    named = tokens_in(settings.api_tokens_file)
    return Admission(
        names=names_of_this_host(settings.allowed_names),
        tokens=Tokens(settings.shim_token.get_secret_value(), named),
        # The page signs in by itself: it has a field for the token.
        without_token=WITHOUT_TOKEN.union(page),
    )


def _registry(settings: ShimSettings) -> Registry:
    keeping = Keeping(days=settings.runs_keep_days, megabytes=settings.runs_keep_mb)
    return Registry(
        Archive(settings.runs_dir, keeping),
        Capacity(at_once=settings.runs_at_once, waiting=settings.runs_waiting),
        secrets_of_environment(os.environ),
    )


def _lifespan_of(
    service: Service, sandboxes: SandboxMcp, *, loads: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.runs.open()
        # LiteLLM takes seconds to import: now, beside the health checks, not in the first run.
        loading = asyncio.create_task(load_litellm()) if loads else None
        async with sandboxes.running(), service.servers.running():
            yield
        await service.runs.aclose()
        if loading is not None:
            await loading
        await close_litellm_clients()
        await service.line.aclose()
        await flush_spans()

    return lifespan

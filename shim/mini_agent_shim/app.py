"""The shim as an ASGI app: its parts, routes, middleware and lifespan."""

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
from mini_agent_shim.api.run_history import RunHistoryRoutes
from mini_agent_shim.api.runs import RunRoutes
from mini_agent_shim.http.access_log import log_access
from mini_agent_shim.http.auth import (
    PUBLIC_PATHS,
    AccessPolicy,
    AllowedOriginsMiddleware,
    ApiTokens,
    AuthMiddleware,
    own_host_names,
    read_tokens,
)
from mini_agent_shim.http.problems import install_problem_handlers, refuse_body
from mini_agent_shim.http.tracing import FASTAPI_TELEMETRY_OFF, TracingMiddleware, flush_spans
from mini_agent_shim.mcp.endpoint import SandboxMcpServer
from mini_agent_shim.mcp.servers import McpServers
from mini_agent_shim.openai.routes import OpenAiRoutes
from mini_agent_shim.runs.redaction import find_environment_secrets
from mini_agent_shim.runs.registry import Capacity, RunRegistry
from mini_agent_shim.runs.store import Retention, RunStore
from mini_agent_shim.service import RunService
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar import SidecarConnection
from mini_agent_shim.web.files import create_page_routes, load_page_files
from mini_agent_shim.web.status import StatusRoutes


async def load_ahead() -> None:
    """Import LiteLLM, which takes seconds, ahead of the first run."""
    await load_litellm()
    await asyncio.to_thread(release_memory)


def release_memory() -> None:
    """Return freed memory to the system, where the C library is glibc."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def create_app(settings: ShimSettings, *, model: Model | None = None) -> FastAPI:
    """Create the app; `model` replaces LiteLLM."""
    sidecar = SidecarConnection(settings)
    sandboxes = SandboxMcpServer(sidecar.client, settings.languages)
    speaker = model or create_litellm_model(settings.ollama_address, settings.redis_url)
    servers = McpServers(settings)
    service = RunService(settings, sidecar, servers, speaker, _run_registry(settings))
    # FastAPIOffline: /docs fetches nothing from other hosts.
    app = FastAPIOffline(
        title="mini-agent",
        summary="An agent loop whose snippets run in short-lived sealed sandboxes.",
        version=version("mini-agent"),
        redoc_url=None,
        lifespan=_lifespan(service, sandboxes, loads=model is None),
        telemetry=FASTAPI_TELEMETRY_OFF,
    )
    page = load_page_files()
    app.router.routes.extend([sandboxes.endpoint.route, *create_page_routes(page)])
    app.include_router(RunRoutes(service).router())
    app.include_router(RunHistoryRoutes(service.runs).router())
    app.include_router(StatusRoutes(settings, sidecar).router())
    app.include_router(OpenAiRoutes(service).router())
    app.exception_handler(ClientDisconnected)(answer_disconnected)
    install_problem_handlers(app)
    app.add_middleware(BodyLimitMiddleware, refuse=refuse_body)
    app.add_middleware(AuthMiddleware, policy=_access_policy(settings, page))
    # Before authentication: a browser asks without a token whether it may send one.
    app.add_middleware(AllowedOriginsMiddleware, origins=settings.page_origins)
    app.add_middleware(AccessLogMiddleware, write=log_access)
    app.add_middleware(TracingMiddleware)
    app.add_middleware(RequestIdMiddleware)
    return app


def _access_policy(settings: ShimSettings, page: Iterable[str]) -> AccessPolicy:
    named = read_tokens(settings.api_tokens_file)
    return AccessPolicy(
        names=own_host_names(settings.allowed_names),
        origins=frozenset(settings.page_origins),
        tokens=ApiTokens(settings.shim_token.get_secret_value(), named),
        # The page has a field for the token, so its files need none.
        public_paths=PUBLIC_PATHS.union(page),
    )


def _run_registry(settings: ShimSettings) -> RunRegistry:
    retention = Retention(days=settings.runs_keep_days, megabytes=settings.runs_keep_mb)
    return RunRegistry(
        RunStore(settings.runs_dir, retention),
        Capacity(at_once=settings.runs_at_once, waiting=settings.runs_waiting),
        find_environment_secrets(os.environ),
    )


def _lifespan(
    service: RunService, sandboxes: SandboxMcpServer, *, loads: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.runs.open()
        # LiteLLM takes seconds to import: now, beside the health checks, not in the first run.
        loading = asyncio.create_task(load_ahead()) if loads else None
        async with sandboxes.run(), service.servers.run():
            yield
        await service.runs.aclose()
        if loading is not None:
            await loading
        await close_litellm_clients()
        await service.sidecar.aclose()
        await flush_spans()

    return lifespan

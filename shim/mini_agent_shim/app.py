"""The shim as an ASGI app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi_offline import FastAPIOffline

from mini_agent.litellm_cache import through_litellm
from mini_agent.litellm_lazy import close_litellm_clients, loaded_litellm
from mini_agent.model import Model
from mini_agent_shim.auth import Admission, Door, names_of_this_host
from mini_agent_shim.disconnect import CallerGone
from mini_agent_shim.mcp_servers import McpServers
from mini_agent_shim.problems import answer_with_problems
from mini_agent_shim.routes import Routes
from mini_agent_shim.sandbox_mcp import SandboxMcp
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar_line import SidecarLine

GONE: Final = 499


def create_app(settings: ShimSettings, *, model: Model | None = None) -> FastAPI:
    """The app; `model` replaces LiteLLM."""
    line = SidecarLine(settings)
    sandboxes = SandboxMcp(line.client, settings.languages)
    servers = McpServers(settings)
    # Its /docs page fetches nothing from elsewhere.
    app = FastAPIOffline(
        title="mini-agent",
        summary="An agent loop whose snippets run in short-lived sealed sandboxes.",
        version=version("mini-agent"),
        redoc_url=None,
        lifespan=_lifespan_of(line, sandboxes, servers, loads=model is None),
    )
    app.router.routes.append(sandboxes.endpoint.route)
    speaker = model or through_litellm(settings.ollama_address, settings.redis_url)
    app.include_router(Routes(settings, line, speaker, servers).router())
    app.exception_handler(CallerGone)(_nobody_there)
    answer_with_problems(app)
    app.add_middleware(Door, admission=_admission(settings))
    return app


def _admission(settings: ShimSettings) -> Admission:
    return Admission(
        names=names_of_this_host(settings.allowed_names),
        token=settings.shim_token.get_secret_value(),
    )


def _lifespan_of(
    line: SidecarLine, sandboxes: SandboxMcp, servers: McpServers, *, loads: bool
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        # LiteLLM takes seconds to import: now, beside the health checks, not in the first run.
        loading = asyncio.create_task(loaded_litellm()) if loads else None
        async with sandboxes.running(), servers.running():
            yield
        if loading is not None:
            await loading
        await close_litellm_clients()
        await line.aclose()

    return lifespan


async def _nobody_there(_request: Request, _gone: CallerGone) -> Response:
    return Response(status_code=GONE)

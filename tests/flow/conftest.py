"""Shim and sidecar in this process, on loopback, over the real engine; the model is scripted."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp

from codex_sidecar.app import create_app as create_sidecar
from codex_sidecar.settings import Settings as SidecarSettings
from mini_agent.testing import ScriptedServer
from mini_agent_shim.app import create_app as create_shim
from mini_agent_shim.settings import ShimSettings

TOKEN = "a token for one test"
TARGET = "ollama/scripted"

Flow = Callable[[ScriptedServer], AbstractAsyncContextManager[httpx.AsyncClient]]


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The app's address while the block runs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=5))
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            assert not serving.done(), "the server ended before it started"
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    """A client of a shim whose model is `server` and whose sandboxes are real."""
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)

    @asynccontextmanager
    async def opened(server: ScriptedServer) -> AsyncIterator[httpx.AsyncClient]:
        sidecar = create_sidecar(SidecarSettings(instance="flow"), TOKEN)
        async with served(sidecar) as sidecar_url:
            shim = create_shim(
                ShimSettings.model_validate(
                    {
                        "MINI_AGENT_SIDECAR_URL": sidecar_url,
                        "MINI_AGENT_SIDECAR_TOKEN_FILE": str(token_file),
                        "LITELLM_DEFAULT_CODE_MODEL": TARGET,
                        "OLLAMA_API_BASE": server.url,
                    }
                )
            )
            async with (
                served(shim) as url,
                httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client,
            ):
                yield client

    return opened

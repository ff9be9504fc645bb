"""The application, complete, over an engine that is scripted."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from codex_sidecar.app import create_app
from codex_sidecar.settings import Settings
from tests.sidecar.scripted_engine import ScriptedEngine

TOKEN = "the-token-of-these-tests"

Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    """An engine that runs whatever it is asked to."""
    with tempfile.TemporaryDirectory() as folder:
        scripted = ScriptedEngine(Path(folder) / "engine.sock")
        await scripted.start()
        yield scripted
        await scripted.stop()


@pytest.fixture
def opened(engine: ScriptedEngine) -> Opened:
    """Opens a client of a sidecar with these settings."""

    @asynccontextmanager
    async def open_client(**settings: str | int) -> AsyncIterator[httpx.AsyncClient]:
        socket = {"docker_socket": str(engine.socket), "instance": "tested"}
        app = create_app(Settings.model_validate(socket | settings), TOKEN)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport, base_url="http://sidecar", headers=headers
            ) as client,
        ):
            yield client

    return open_client


@pytest.fixture
async def client(opened: Opened) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sidecar with ordinary settings."""
    async with opened() as connected:
        yield connected

"""The application, complete, over an engine that is scripted."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from codex_sidecar.app import create_app
from codex_sidecar.settings import Settings
from tests.faults import disclosure
from tests.faults.log_capture import require_clean_log
from tests.sidecar.scripted_engine import ScriptedEngine
from tests.sidecar.scripted_session import SessionRunner
from tests.sidecar.session_client import Client, open_session

TOKEN = disclosure.TOKEN

Setting = str | int | dict[str, int]
Opened = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def _discreet() -> Iterator[None]:
    """What is logged tells nothing it should not."""
    with require_clean_log():
        yield


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    """An engine that runs whatever it is asked to, and has no sandbox any more at the end."""
    with tempfile.TemporaryDirectory() as folder:
        scripted = ScriptedEngine(Path(folder) / "engine.sock")
        await scripted.start()
        yield scripted
        await scripted.stop()
    assert scripted.left() == []


@pytest.fixture
def opened(engine: ScriptedEngine) -> Opened:
    """Opens a client of a sidecar with these settings."""

    @asynccontextmanager
    async def open_client(**settings: Setting) -> AsyncIterator[httpx.AsyncClient]:
        usual: dict[str, Setting] = {
            "docker_socket": str(engine.socket),
            "instance": "tested",
            "warm": {},
        }
        app = create_app(Settings.model_validate(usual | settings), TOKEN)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=transport,
                base_url="http://sidecar",
                headers=headers,
                event_hooks={"response": [disclosure.require_problem_response]},
            ) as client,
        ):
            yield client

    return open_client


@pytest.fixture
async def client(opened: Opened) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a sidecar with ordinary settings."""
    async with opened() as connected:
        yield connected


@pytest.fixture
def runner(engine: ScriptedEngine) -> SessionRunner:
    """A runner with a workspace, in every sandbox."""
    scripted = SessionRunner()
    engine.runner = scripted.run
    return scripted


@pytest.fixture
async def session(runner: SessionRunner, client: httpx.AsyncClient) -> AsyncIterator[Client]:
    """An open session."""
    opened = await open_session(client)
    yield opened
    await client.delete(opened.path)

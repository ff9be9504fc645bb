"""One sidecar over the real engine for all tests that need no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from mini_agent.sandbox import SidecarClient, SidecarSession
from tests.docker.engine_here import TOKEN, Sidecar, require_engine, sidecar


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """The engine of this machine, without which none of these tests says anything."""
    require_engine()


@pytest.fixture(scope="session")
def real(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar in a process of its own."""
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


@pytest.fixture
async def client(real: Sidecar) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that sidecar."""
    async with real.client() as connected:
        yield connected


@pytest.fixture
async def sandboxes(real: Sidecar) -> AsyncIterator[SidecarClient]:
    """The Python client of that sidecar."""
    async with SidecarClient(real.url, TOKEN) as connected:
        yield connected


@pytest.fixture
async def session(sandboxes: SidecarClient) -> AsyncIterator[SidecarSession]:
    """A session of that sidecar."""
    async with await sandboxes.open_session() as opened:
        yield opened

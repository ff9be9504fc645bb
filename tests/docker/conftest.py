"""A sidecar over the real engine, one for each test file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.docker.engine_here import Sidecar, require_engine, sidecar


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """The engine of this machine, without which none of these tests says anything."""
    require_engine()


@pytest.fixture
async def real(tmp_path: Path, engine: None) -> AsyncIterator[Sidecar]:
    """A sidecar in a process of its own."""
    async with sidecar(tmp_path) as running:
        yield running


@pytest.fixture
async def client(real: Sidecar) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that sidecar."""
    async with real.client() as connected:
        yield connected

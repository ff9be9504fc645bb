"""A real sidecar, and stock LiteLLM's code interpreter told of nothing but its address and key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar in a process of its own."""
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


async def none_left(running: Sidecar) -> None:
    """Returns when no container is left, which is soon."""
    async with asyncio.timeout(30):
        while await running.containers():  # noqa: ASYNC110 - the engine only answers
            await asyncio.sleep(0.05)


@pytest.fixture
def told(real: Sidecar) -> dict[str, str]:
    """All that LiteLLM has to be told of it."""
    return {"api_base": f"{real.url}/v1", "api_key": TOKEN}


@pytest.fixture(autouse=True)
def _clean(_closing: None) -> None:
    """LiteLLM's connections belong to a test's event loop, and end with it."""

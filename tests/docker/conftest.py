"""One sidecar over the real engine for all tests that need no other."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from mini_agent.sandbox import SidecarClient, SidecarSession
from tests.docker.sidecar_process import (
    TOKEN,
    Sidecar,
    require_engine,
    sidecar,
)
from tests.faults.invariants import Watch, watched
from tests.faults.table import cases

SHOWN = frozenset(test for case in cases() for test in case.tests)


@pytest.fixture(scope="session", autouse=True)
def engine() -> None:
    """The engine of this machine, without which none of these tests says anything."""
    require_engine()


@pytest.fixture(scope="session")
def watch(engine: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """A sidecar in a process of its own."""
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running, watched(running) as watch:
        yield watch


@pytest.fixture(scope="session")
def real(watch: Watch) -> Sidecar:
    """That sidecar."""
    return watch.sidecar


@pytest.fixture(autouse=True)
def _invariants(request: pytest.FixtureRequest) -> Iterator[None]:
    """The six invariants after what shows a case; one fewer after other tests of that sidecar."""
    with contextlib.ExitStack() as after:
        if "real" in request.fixturenames:
            watch: Watch = request.getfixturevalue("watch")
            shows_a_case = (f"docker/{request.path.name}", request.node.originalname) in SHOWN
            held_to = watch.case if shows_a_case else watch.without_a_run
            after.enter_context(held_to(request.node))
        yield


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

"""A guard in this process, over an engine that notes what it is asked."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from codex_sidecar.guard.gate import Gate
from codex_sidecar.guard.owned import Owned
from codex_sidecar.guard.server import Server
from codex_sidecar.guard.settings import GuardSettings
from codex_sidecar.guard.upstream import Upstream
from tests.guard.asking import Reply, ask
from tests.guard.recording_engine import RecordingEngine

INSTANCE = "guarded"
MOST = 3

Ask = Callable[[bytes], Awaitable[Reply]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place for sockets, whose paths have to be short."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
async def engine(folder: Path) -> AsyncIterator[RecordingEngine]:
    """The engine."""
    recording = RecordingEngine(folder / "engine.sock")
    await recording.start()
    yield recording
    await recording.stop()


@pytest.fixture
async def guard(engine: RecordingEngine, folder: Path) -> AsyncIterator[Path]:
    """The guard's socket."""
    settings = GuardSettings(instance=INSTANCE, docker_socket=str(engine.socket))
    upstream = Upstream(settings.docker_socket)
    owned = Owned(upstream, INSTANCE, MOST)
    gate = Gate(settings.docker_socket, settings.terms(), upstream, owned)
    async with Server(gate).listening(folder / "guard.sock"):
        yield folder / "guard.sock"
    await upstream.aclose()


@pytest.fixture
def asked(guard: Path) -> Ask:
    """Sends bytes to the guard; what comes back until it closes."""

    async def send(request: bytes) -> Reply:
        return await ask(guard, request)

    return send

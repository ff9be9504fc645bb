"""A guard in this process, over an engine that notes what it is asked."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from codex_sidecar.guard.settings import GuardSettings
from tests.faults.log_capture import require_clean_log
from tests.sidecar.guard.guard_server import serving
from tests.sidecar.guard.recording_engine import RecordingEngine
from tests.sidecar.guard.socket_client import Reply, ask

INSTANCE = "guarded"

Ask = Callable[[bytes], Awaitable[Reply]]


@pytest.fixture(autouse=True)
def _discreet() -> Iterator[None]:
    """What is logged tells nothing it should not."""
    with require_clean_log():
        yield


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
    place = folder / "guard.sock"
    async with serving(settings, place):
        yield place


@pytest.fixture
def asked(guard: Path) -> Ask:
    """Sends bytes to the guard; what comes back until it closes."""

    async def send(request: bytes) -> Reply:
        return await ask(guard, request)

    return send

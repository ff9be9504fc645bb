"""One sidecar behind a faulty engine for all tests here, held to its invariants after each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.sidecar_process import require_engine, sidecar
from tests.faults.engine_proxy import EngineProxy
from tests.faults.invariants import Watch, watched
from tests.faults.log_capture import require_clean_log
from tests.faults.services import Platform


@pytest.fixture(autouse=True)
def _discreet() -> Iterator[None]:
    """What the shims in this process log tells nothing it should not."""
    with require_clean_log():
        yield


@pytest.fixture(scope="session")
def proxy() -> Iterator[EngineProxy]:
    """What the engine is reached through."""
    require_engine()
    # The path of a socket may not be long.
    with (
        tempfile.TemporaryDirectory() as place,
        EngineProxy(Path(place) / "engine.sock") as engine,
    ):
        yield engine


@pytest.fixture(scope="session")
def watch(proxy: EngineProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """The sidecar."""
    folder = tmp_path_factory.mktemp("sidecar")
    with sidecar(folder, docker_socket=str(proxy.path)) as running, watched(running) as watch:
        yield watch


@pytest.fixture(scope="session")
def standing(proxy: EngineProxy, watch: Watch) -> Platform:
    """Both, for what outlives a test."""
    return Platform(watch.sidecar, proxy)


@pytest.fixture
def platform(
    standing: Platform, watch: Watch, request: pytest.FixtureRequest
) -> Iterator[Platform]:
    """The sidecar, with the six invariants after the test."""
    with watch.case(request.node):
        yield standing
        standing.engine.heal()

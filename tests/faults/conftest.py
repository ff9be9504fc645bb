"""One sidecar behind a faulty engine for all tests here, held to its invariants after each."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.engine_here import require_engine, sidecar
from tests.faults.engine_proxy import EngineProxy
from tests.faults.services import GONE_S, Platform, invariants
from tests.flow.leaving import gone_within


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    require_engine()
    folder = tmp_path_factory.mktemp("sidecar")
    # The path of a socket may not be long.
    with (
        tempfile.TemporaryDirectory() as place,
        EngineProxy(Path(place) / "engine.sock") as engine,
        sidecar(folder, docker_socket=str(engine.path)) as running,
    ):
        platform = Platform(running, engine, folder / "log")
        platform.run("print(1)")
        assert gone_within(GONE_S, running)
        yield platform


@pytest.fixture
def platform(standing: Platform) -> Iterator[Platform]:
    """The sidecar, with the six invariants after the test."""
    with invariants(standing):
        yield standing
        standing.engine.heal()

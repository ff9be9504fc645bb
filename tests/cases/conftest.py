"""A sidecar of our own, and a court before which it answers for its sandboxes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.cases.case import Suite
from tests.cases.court import Court, Place
from tests.cases.service import packages_of
from tests.docker.sidecar_process import Sidecar, require_engine, sidecar
from tests.faults.invariants import Watch, watched

WARM = '{"python": 2, "data": 1, "node": 1, "bash": 2}'


@pytest.fixture(scope="session")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Some of its sandboxes are started ahead, the others when they are needed."""
    require_engine()
    with (
        sidecar(tmp_path_factory.mktemp("judged"), warm=WARM) as running,
        watched(running) as watch,
    ):
        yield watch


@pytest.fixture
def judged(watch: Watch, suite: Suite, request: pytest.FixtureRequest) -> Iterator[Sidecar]:
    """That sidecar, with the six invariants after a suite of ours that is hostile."""
    with contextlib.ExitStack() as after:
        if suite.name.startswith("abuse/"):
            after.enter_context(watch.case(request.node))
        yield watch.sidecar


@pytest.fixture
async def court(judged: Sidecar) -> AsyncIterator[Court]:
    """Judges that sidecar."""
    async with judged.client() as client:
        yield Court(client, Place(await packages_of(client)))

"""One Chromium for all tests of the page, and one sidecar for those whose runs need sandboxes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mini_agent_shim.settings import ShimSettings
from tests.docker.sidecar_process import Sidecar, require_engine, sidecar
from tests.shim.web.chromium import Line, chromium
from tests.shim.web.tab import Tab, tab


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in ShimSettings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Line]:
    """It takes a second to start."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Line) -> Iterator[Tab]:
    """A tab in which nothing has gone wrong at the end."""
    with tab(browser) as opened:
        yield opened
        assert opened.complaints() == []


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    """A sidecar that keeps no sandbox waiting: what there is belongs to a run."""
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running

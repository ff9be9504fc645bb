"""Fixtures: a sidecar over the real engine, and a project under git whose Bash runs in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.coding.harness import Harness
from tests.coding.sandbox.projects import init_repository
from tests.docker.sidecar_process import TOKEN, Sidecar, require_engine, sidecar


@pytest.fixture(scope="package")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    require_engine()
    with sidecar(tmp_path_factory.mktemp("sidecar")) as running:
        yield running


@pytest.fixture
def boxed(harness: Harness, real: Sidecar, monkeypatch: pytest.MonkeyPatch) -> Harness:
    """A harness whose environment names the sidecar, and whose project is a repository."""
    monkeypatch.setenv("MINI_AGENT_SIDECAR_URL", real.url)
    monkeypatch.setenv("MINI_AGENT_SIDECAR_TOKEN", TOKEN)
    init_repository(harness.project)
    return harness


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the project that nothing may touch."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret").write_text("a secret")
    return folder

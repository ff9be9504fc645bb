"""Ollama's compose services, with the stand-in in the place of the image that has to be fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker.sidecar_process import require_engine
from tests.ollama.command import ROOT
from tests.ollama.composed import IMAGE, Composed

DOCKERFILE = "tests/ollama/stand-in/Dockerfile"


@pytest.fixture(scope="session")
def stand_in() -> str:
    """The stand-in's image, built from this tree."""
    require_engine()
    docker = shutil.which("docker")
    assert docker
    base = f"BASE_IMAGE={os.environ.get('BASE_IMAGE', 'debian:trixie-slim')}"
    built = subprocess.run(
        [docker, "build", "-q", "-f", DOCKERFILE, "--build-arg", base, "-t", IMAGE, "."],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert built.returncode == 0, built.stderr
    return IMAGE


@pytest.fixture
def composed(stand_in: str, tmp_path: Path) -> Iterator[Composed]:
    """The services in a project of their own; nothing of it is left afterwards."""
    project = Composed(f"mini-agent-ollama-{uuid.uuid4().hex[:8]}", tmp_path / "weights", stand_in)
    try:
        yield project
    finally:
        project.remove()

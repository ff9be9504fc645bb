"""What the tests of the extras share: no setting of this machine, and pictures to show."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

os.environ.setdefault("LITELLM_MODE", "PRODUCTION")

FOREIGN = ("OLLAMA_API_BASE", "OLLAMA_HOST", "MINI_AGENT_REDIS_URL", "LLAMAFILE_API_BASE")


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with one small picture, cat.png, half of it red."""
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste("red", (0, 0, 20, 20))
    picture.save(tmp_path / "cat.png")
    return tmp_path

"""These tests see no setting of the machine they run on."""

from __future__ import annotations

import pytest

from mini_agent_shim.settings import ShimSettings


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in ShimSettings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)

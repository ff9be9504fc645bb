"""These tests see no setting of the machine they run on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mini_agent_shim.settings import ShimSettings
from tests.faults.log_capture import require_clean_log


@pytest.fixture(autouse=True)
def _discreet() -> Iterator[None]:
    """What is logged tells nothing it should not."""
    with require_clean_log():
        yield


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in ShimSettings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)

"""The one way from settings to a client of the sidecar."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from mini_agent.errors import NotConfigured, SandboxUnavailable
from mini_agent.settings import Settings
from mini_agent.tools.sandbox_client import open_sandbox, open_sandbox_for_service

URL = "http://127.0.0.1:9"


async def test_the_address_of_the_settings_is_the_clients() -> None:
    async with open_sandbox(Settings(sidecar_url=URL, sidecar_token=SecretStr("t"))) as client:
        assert client.base_url == URL


def test_what_is_not_set_is_named_with_the_variables() -> None:
    with pytest.raises(NotConfigured, match="no sidecar is named") as why:
        open_sandbox(Settings(sidecar_url=""))
    assert "MINI_AGENT_SIDECAR_URL" in why.value.hint
    with pytest.raises(SandboxUnavailable, match="no sidecar is named"):
        open_sandbox_for_service(Settings(sidecar_url=""))


def test_a_token_that_cannot_be_read_is_named_by_its_file(tmp_path: Path) -> None:
    settings = Settings(sidecar_url=URL, sidecar_token_file=tmp_path / "none")
    with pytest.raises(NotConfigured, match="token cannot be read"):
        open_sandbox(settings)
    with pytest.raises(SandboxUnavailable, match="token cannot be read"):
        open_sandbox_for_service(settings)

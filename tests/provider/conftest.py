"""What every provider test needs: LiteLLM without a download, and no connection left open."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from mini_agent.litellm_lazy import close_litellm_clients

os.environ.setdefault("LITELLM_MODE", "PRODUCTION")

FOREIGN = (
    "LITELLM_DEFAULT_CODE_MODEL",
    "LITELLM_DEFAULT_MODEL",
    "LITELLM_MINI_AGENT_LANGUAGES",
    "LITELLM_MINI_AGENT_DOCKER_CONTAINER",
    "MINI_AGENT_SIDECAR_URL",
    "MINI_AGENT_SHIM_TOKEN",
    "OLLAMA_API_BASE",
    "OLLAMA_HOST",
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "LLAMAFILE_API_BASE",
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FOREIGN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def _closing() -> AsyncIterator[None]:
    yield
    await close_litellm_clients()

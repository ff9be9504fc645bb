"""What every provider test needs: LiteLLM without a download, and no connection left open."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from types import ModuleType

import pytest

import mini_agent
from mini_agent.models.litellm_runtime import import_litellm

os.environ.setdefault("LITELLM_MODE", "PRODUCTION")

FOREIGN = (
    "LITELLM_DEFAULT_CODE_MODEL",
    "LITELLM_DEFAULT_MODEL",
    "LITELLM_MINI_AGENT_LANGUAGES",
    "LITELLM_MINI_AGENT_MAX_ITERATIONS",
    "LITELLM_MINI_AGENT_MAX_SECONDS",
    "LITELLM_MINI_AGENT_TOOL_BACKEND",
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


# LiteLLM silences a warning of pydantic about its own classes at import; pytest forgets that after
# each test, so the classes are built here, once.
@pytest.fixture(scope="session", autouse=True)
def _loaded() -> ModuleType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        litellm = import_litellm()
        litellm.ModelResponse()
    return litellm


@pytest.fixture
def litellm(_loaded: ModuleType) -> Iterator[ModuleType]:
    """LiteLLM with our provider installed; its registry is put back afterwards."""
    before = list(_loaded.custom_provider_map)
    mini_agent.install()
    yield _loaded
    _loaded.__dict__["custom_provider_map"] = before

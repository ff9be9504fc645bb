"""The running compose stack, as the readiness smokes reach it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx
import pytest

HOST = os.environ.get("MINI_AGENT_API_HOST", "127.0.0.1")
PORT = os.environ.get("MINI_AGENT_API_PORT", "8788")
REQUIRED = os.environ.get("DOCKER_MINI_AGENT") == "1" or os.environ.get("CI") == "true"


@pytest.fixture(scope="session")
def stack() -> Iterator[httpx.Client]:
    """A client of the running shim. No stack is a named skip, unless it was promised."""
    with httpx.Client(base_url=f"http://{HOST}:{PORT}", timeout=240, trust_env=False) as client:
        try:
            client.get("/ready").raise_for_status()
        except httpx.HTTPError as away:
            why = f"no ready stack at {HOST}:{PORT} ({away}); start it with: make up MODEL=demo"
            if REQUIRED:
                pytest.fail(why)
            pytest.skip(why)
        yield client


@pytest.fixture(scope="session")
def model() -> str:
    """The model the smoke asks for."""
    return os.environ.get("LITELLM_DEFAULT_CODE_MODEL", "llamafile/tiny-agent")

"""What holds for every test."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

# Whoever starts the tests in the background may have them ignore these, and all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _no_connection_outlives_its_test() -> Iterator[None]:
    """LiteLLM drops what is left open minutes later, and another test is blamed for it."""
    before = _open_clients()
    yield
    if any(each.name == "mini-agent-loop" for each in threading.enumerate()):
        lazy = sys.modules["mini_agent.models.litellm_runtime"]
        sys.modules["mini_agent.agent.sync"].run_blocking(lazy.close_litellm_clients())
    assert _open_clients() <= before, "the test has to close LiteLLM's clients: use _closing"


def _open_clients() -> set[str]:
    if "litellm" not in sys.modules:
        return set()
    kept = sys.modules["litellm"].in_memory_llm_clients_cache.cache_dict.items()
    # What belongs to an event loop has its number at the end of its name.
    return {name for name, one in kept if name.rpartition("-")[2].isdigit() and _is_open(one)}


def _is_open(client: object) -> bool:
    inner = getattr(client, "_client", None) or getattr(client, "client", client)
    return not getattr(inner, "is_closed", False)


@pytest.fixture
async def _closing() -> AsyncIterator[None]:
    """Closes what LiteLLM keeps for the test's own event loop."""
    from mini_agent.models.litellm_runtime import close_litellm_clients, settle_litellm  # noqa: PLC0415

    yield
    await settle_litellm()
    await close_litellm_clients()

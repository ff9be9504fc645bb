"""What holds for every test."""

from __future__ import annotations

import inspect
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

# Whoever starts the tests in the background may have them ignore these, and all that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

ENGINE_MARKS = ("docker", "stack")
ASKS_FOR_THE_ENGINE = "require_engine"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what needs the engine, before `-m` chooses; a worker has its longest files first."""
    for item in items:
        if _needs_the_engine(item):
            item.add_marker("engine")
    if hasattr(config, "workerinput"):
        items.sort(key=_longest_first)


def _needs_the_engine(item: pytest.Item) -> bool:
    if any(item.get_closest_marker(name) for name in ENGINE_MARKS):
        return True
    if not isinstance(item, pytest.Function):
        return False
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    functions = [item.function, *(defined.func for each in fixtures for defined in each)]
    return any(ASKS_FOR_THE_ENGINE in _names_in(function) for function in functions)


def _names_in(function: object) -> tuple[str, ...]:
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    return code.co_names if code else ()


def _longest_first(item: pytest.Item) -> float:
    """A file that allows its tests more time than others takes it."""
    allowed = item.get_closest_marker("timeout")
    return -float(allowed.args[0]) if allowed and allowed.args else 0.0


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
    from mini_agent.models.litellm_runtime import close_litellm_clients, flush_litellm_logging  # noqa: PLC0415

    yield
    await flush_litellm_logging()
    await close_litellm_clients()

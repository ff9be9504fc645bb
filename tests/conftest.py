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
# Most tests in these folders start whole programs, or environments with packages in them.
SLOW_FOLDERS = ("cli", "extras", "live", "ndsmoke", "ollama", "readme", "seeds", "stock")
SLOW_PARENTS = ("tests/coding", "tests/mcp/gateway", "tests/mcp/sandbox_server", "tests/shim/web")
# So does a test that is allowed more time than others.
SLOW_TIMEOUT_S = 200.0


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what needs the engine, before `-m` chooses; a worker has its longest files first."""
    for item in items:
        if _needs_the_engine(item):
            item.add_marker("engine")
        if _is_slow(item):
            item.add_marker("slow")
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


def _is_slow(item: pytest.Item) -> bool:
    folder = item.path.parent
    under_tests = folder.as_posix().partition("/tests/")[2]
    in_slow_folder = under_tests.startswith(SLOW_FOLDERS)
    return (
        in_slow_folder
        or folder.as_posix().endswith(SLOW_PARENTS)
        or _allowed_s(item) >= SLOW_TIMEOUT_S
    )


def _longest_first(item: pytest.Item) -> float:
    """A file that allows its tests more time than others takes it."""
    return -_allowed_s(item)


def _allowed_s(item: pytest.Item) -> float:
    """The seconds of the test's own timeout; 0 where it has none."""
    allowed = item.get_closest_marker("timeout")
    return float(allowed.args[0]) if allowed and allowed.args else 0.0


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

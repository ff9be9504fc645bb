"""Imports LiteLLM on first use, which takes seconds, and closes what it leaves on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Final, TypeVar

from mini_agent.models.http_clients import close_clients

LOGGING_TIMEOUT_S: Final = 1.0

Found = TypeVar("Found")

_imported: Final = threading.Event()


def import_litellm() -> ModuleType:
    """Imports LiteLLM, without its hints and with its own list of models instead of a download."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    # Its hints for its own developers are printed into the output of a user's program.
    litellm.suppress_debug_info = True
    _imported.set()
    module: ModuleType = litellm
    return module


async def load_litellm() -> ModuleType:
    """Imports LiteLLM in a thread, so that the event loop goes on."""
    if _imported.is_set():
        return import_litellm()
    return await asyncio.to_thread(import_litellm)


async def flush_litellm_logging() -> None:
    """Waits until LiteLLM has logged its calls, and ends its logging tasks on this loop.

    LiteLLM has one logging task a process. Left on a loop that is idle, it is destroyed with a
    warning by the first call on another loop. With two loops in use it moves to the loop of the
    last call, and leaves a task behind on the other.
    """
    if not _imported.is_set():
        return
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    worker = GLOBAL_LOGGING_WORKER
    if getattr(worker, "_bound_loop", None) is asyncio.get_running_loop():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOGGING_TIMEOUT_S):
                await worker.flush()
        await worker.stop()
    unfinished = {task for task in asyncio.all_tasks() if _is_logging_task(task)}
    for task in unfinished:
        task.cancel()
    if unfinished:
        await asyncio.wait(unfinished, timeout=LOGGING_TIMEOUT_S)


def _is_logging_task(task: asyncio.Task[object]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "") == "LoggingWorker._worker_loop"


async def close_litellm_clients() -> None:
    """Closes the connections to models on this loop, LiteLLM's too, before the loop closes."""
    await close_clients()
    if not _imported.is_set():
        return
    clients = import_litellm().in_memory_llm_clients_cache
    # LiteLLM's own function closes those of other loops too, and none to a Redis.
    of_this_loop = clients.update_cache_key_with_event_loop("")
    for name, client in tuple(clients.cache_dict.items()):
        close = _close_function(client)
        if name.endswith(of_this_loop) and inspect.iscoroutinefunction(close):
            # A foreign client that closes may raise anything.
            with contextlib.suppress(Exception):
                await close()
            clients.delete_cache(name)
    # A transport closes in the loop's next iteration.
    await asyncio.sleep(0)


def _close_function(client: object) -> object:
    # A client of a Redis does not close the pool of its connections.
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        return pool.disconnect
    return getattr(client, "aclose", None) or getattr(client, "close", None)


def look_up(catalog: Callable[[], Found], default: Found) -> Found:
    """Calls a function of LiteLLM's catalog of models; `default` for a model it does not know."""
    try:
        return catalog()
    except Exception:  # noqa: BLE001  LiteLLM has no error of its own for that
        return default

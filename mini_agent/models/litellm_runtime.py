"""The one place that imports LiteLLM, on first use: it takes seconds."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import threading
from types import ModuleType
from typing import Final

LOGGING_TIMEOUT_S: Final = 1.0

_imported: Final = threading.Event()


def import_litellm() -> ModuleType:
    """LiteLLM, quiet, and with its own list of models instead of a download."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    # Its advice for its own developers would land between the lines of a user's program.
    litellm.suppress_debug_info = True
    _imported.set()
    module: ModuleType = litellm
    return module


async def load_litellm() -> ModuleType:
    """The same without holding up the event loop while the import runs."""
    if _imported.is_set():
        return import_litellm()
    return await asyncio.to_thread(import_litellm)


async def flush_litellm_logging() -> None:
    """Lets LiteLLM finish what it logs about its calls, and ends the tasks on this loop that do.

    It has one such task a process: left waiting on a loop that is not used for a while, it is
    taken apart, with complaints, by the first call on another loop. Where two loops are in use,
    it moves to the one that called last, and leaves a task behind on the other.
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
    left = {task for task in asyncio.all_tasks() if _is_logging_task(task)}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=LOGGING_TIMEOUT_S)


def _is_logging_task(task: asyncio.Task[object]) -> bool:
    return getattr(task.get_coro(), "__qualname__", "") == "LoggingWorker._worker_loop"


async def close_litellm_clients() -> None:
    """Closes the connections LiteLLM keeps on this loop; for whoever owns the event loop."""
    if not _imported.is_set():
        return
    kept = import_litellm().in_memory_llm_clients_cache
    # LiteLLM's own way to do this closes those of other loops, too, and none to a Redis.
    of_this_loop = f"-{id(asyncio.get_running_loop())}"
    for name, client in tuple(kept.cache_dict.items()):
        close = _close_function(client)
        if name.endswith(of_this_loop) and inspect.iscoroutinefunction(close):
            # Other people's clients, on their way out, may raise anything.
            with contextlib.suppress(Exception):
                await close()
            kept.delete_cache(name)
    # A transport that was told to close does so in the loop's next round.
    await asyncio.sleep(0)


def _close_function(client: object) -> object:
    # A client of a Redis leaves its connections to whoever made their pool.
    pool = getattr(client, "connection_pool", None)
    if pool is not None:
        return pool.disconnect
    return getattr(client, "aclose", None) or getattr(client, "close", None)

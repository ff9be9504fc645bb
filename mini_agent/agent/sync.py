"""Runs coroutines for blocking callers, on one private event-loop thread a process."""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import ExitStack, aclosing
from typing import Final, Generic, TypeVar

from mini_agent.errors import MiniAgentError
from mini_agent.models.litellm_runtime import close_litellm_clients, flush_litellm_logging

CANCEL_TIMEOUT_S: Final = 2.0
CLOSE_TIMEOUT_S: Final = 5.0

Result = TypeVar("Result")
Item = TypeVar("Item")


def run_blocking(work: Coroutine[object, object, Result]) -> Result:
    """Runs `work` and returns its result, from any thread, inside or outside an event loop.

    An interrupt (Ctrl-C) in the caller cancels the work and waits until it has cleaned up.
    """
    task = BackgroundTask(work)
    with ExitStack() as undo:
        undo.callback(task.cancel)
        result = task.result()
        undo.pop_all()
    return result


def stream_blocking(stream: AsyncGenerator[Item, None]) -> Generator[Item, None, None]:
    """Yields the items of `stream`, which runs ahead of its reader; raises what it raises.

    Closing the iterator, dropping it, or an interrupt closes the stream and waits for that.
    """
    # A tuple of one item; an empty tuple is the end.
    items: queue.SimpleQueue[tuple[Item, ...]] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async with aclosing(stream):
                async for item in stream:
                    items.put((item,))
        finally:
            items.put(())

    task = BackgroundTask(pump())
    try:
        while item := items.get():
            yield item[0]
        task.result()
    finally:
        task.cancel()


class BackgroundTask(Generic[Result]):
    """A coroutine that runs on the private thread.

    Raises `MiniAgentError` when it is created on that thread.
    """

    def __init__(self, work: Coroutine[object, object, Result]) -> None:
        self._loop_thread = _get_loop_thread()
        if threading.current_thread() is self._loop_thread.thread:
            work.close()
            raise MiniAgentError(
                "a run cannot wait for another run on the thread that drives both",
                hint="inside a tool, await the asynchronous call instead",
            )
        self._ended = threading.Event()
        counted = _run_counted(work, self._loop_thread, self._ended)
        self._future = asyncio.run_coroutine_threadsafe(counted, self._loop_thread.loop)

    def result(self) -> Result:
        """Waits for the result; raises what the coroutine raises."""
        try:
            return self._future.result()
        finally:
            self._loop_thread.register_close()

    def cancel(self) -> None:
        """Cancels the coroutine, unless it has ended, and waits until it has cleaned up."""
        if self._future.cancel():
            self._ended.wait(CANCEL_TIMEOUT_S)
        self._loop_thread.register_close()


async def _run_counted(
    work: Coroutine[object, object, Result], loop_thread: _LoopThread, ended: threading.Event
) -> Result:
    loop_thread.active_tasks += 1
    try:
        return await work
    finally:
        loop_thread.active_tasks -= 1
        if not loop_thread.active_tasks:
            await flush_litellm_logging()
        ended.set()


class _LoopThread:
    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.pid = os.getpid()
        self.active_tasks = 0
        self.thread = threading.Thread(
            target=self.loop.run_forever, name="mini-agent-loop", daemon=True
        )
        self.thread.start()

    def register_close(self) -> None:
        # Exit functions are called in reverse order of registration. LiteLLM, imported by a run,
        # registers one too: called before ours, it closes our connections from a wrong thread.
        atexit.unregister(self.close)
        atexit.register(self.close)

    def close(self) -> None:
        if self.pid != os.getpid():
            return
        closing = asyncio.run_coroutine_threadsafe(_shut_down(), self.loop)
        closing.result(CLOSE_TIMEOUT_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(CLOSE_TIMEOUT_S)
        self.loop.close()


async def _shut_down() -> None:
    unfinished = asyncio.all_tasks() - {asyncio.current_task()}
    for task in unfinished:
        task.cancel()
    if unfinished:
        await asyncio.wait(unfinished, timeout=CANCEL_TIMEOUT_S)
    await close_litellm_clients()


# INVARIANT: at most one loop thread a process; a forked child, which has no threads, gets its own.
_loop_threads: Final[list[_LoopThread]] = []
_start_lock: Final = threading.Lock()


def _get_loop_thread() -> _LoopThread:
    with _start_lock:
        if not _loop_threads or _loop_threads[0].pid != os.getpid():
            _loop_threads[:] = [_LoopThread()]
        return _loop_threads[0]

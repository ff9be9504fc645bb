"""Coroutines for plain code: one private event-loop thread a process, started on first use.

An asynchronous stream for plain code, on the private loop thread, ahead of its reader.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import queue
import threading
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import aclosing
from typing import Final, Generic, TypeVar

from mini_agent.errors import MiniAgentError
from mini_agent.models.litellm_runtime import close_litellm_clients, flush_litellm_logging

CANCEL_TIMEOUT_S: Final = 2.0
CLOSE_TIMEOUT_S: Final = 5.0

Result = TypeVar("Result")


def run_blocking(work: Coroutine[object, object, Result]) -> Result:
    """The result of `work`, from any thread, inside or outside a running event loop.

    An interrupt (Ctrl-C) in the caller cancels the work and waits until it has cleaned up.
    """
    running = BackgroundTask(work)
    try:
        return running.result()
    except BaseException:
        running.cancel()
        raise


class BackgroundTask(Generic[Result]):
    """Work that has begun, on the private thread; `MiniAgentError` when begun on that thread."""

    def __init__(self, work: Coroutine[object, object, Result]) -> None:
        self._home = _get_loop_thread()
        if threading.current_thread() is self._home.thread:
            work.close()
            raise MiniAgentError(
                "a run cannot wait for another run on the thread that drives both",
                hint="inside a tool, await the asynchronous call instead",
            )
        self._ended = threading.Event()
        announced = _run_counted(work, self._home, self._ended)
        self._future = asyncio.run_coroutine_threadsafe(announced, self._home.loop)

    def result(self) -> Result:
        """Waits for the work; what it raises is raised here."""
        try:
            return self._future.result()
        finally:
            self._home.close_first_at_exit()

    def cancel(self) -> None:
        """Cancels the work, unless it is over, and waits until it has cleaned up."""
        if self._future.cancel():
            self._ended.wait(CANCEL_TIMEOUT_S)
        self._home.close_first_at_exit()


async def _run_counted(
    work: Coroutine[object, object, Result], home: _LoopThread, ended: threading.Event
) -> Result:
    home.active_tasks += 1
    try:
        return await work
    finally:
        home.active_tasks -= 1
        if not home.active_tasks:
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

    def close_first_at_exit(self) -> None:
        # The last to register is the first to be called. LiteLLM, imported by a run, registers an
        # exit function too: run before ours, it would close our connections from a wrong thread.
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


Item = TypeVar("Item")


def stream_blocking(stream: AsyncGenerator[Item, None]) -> Generator[Item, None, None]:
    """What `stream` yields, and what it raises.

    Closing the iterator, dropping it, or an interrupt closes the stream and waits for that.
    """
    told: queue.SimpleQueue[tuple[Item, ...]] = queue.SimpleQueue()

    async def pump() -> None:
        try:
            async with aclosing(stream):
                async for item in stream:
                    told.put((item,))
        finally:
            told.put(())

    running = BackgroundTask(pump())
    try:
        while item := told.get():
            yield item[0]
        running.result()
    finally:
        running.cancel()

"""The fair queue: bounds how many snippets run and wait, and serves callers in turn."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from codex_sidecar.errors import Busy, ServiceStopping

MAX_WAIT_S: Final = 30.0
MAX_RETRY_AFTER_S: Final = 60
INITIAL_RUN_S: Final = 0.5
# The weight of the newest run in the moving average of run times.
SMOOTHING: Final = 0.1

# Done when the slot is granted; an exception when it is refused.
Waiter = asyncio.Future[None]


class FairQueue:
    """Grants slots caller by caller, so that none waits behind a thousand snippets of another."""

    def __init__(self, max_running: int, max_waiting: int) -> None:
        self._max_running, self._max_waiting = max_running, max_waiting
        self._running = 0
        self._queues = OrderedDict[str, deque[Waiter]]()
        self._run_s = INITIAL_RUN_S
        self._is_closed = False
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return sum(map(len, self._queues.values()))

    @property
    def is_closed(self) -> bool:
        """Whether no slot is granted any more."""
        return self._is_closed

    @asynccontextmanager
    async def slot(self, caller: str = "") -> AsyncIterator[None]:
        """Hold a slot; raises `Busy` when too many wait already or the wait is too long."""
        await self._wait(caller)
        began = time.monotonic()
        try:
            yield
        finally:
            self._run_s += SMOOTHING * (time.monotonic() - began - self._run_s)
            self._release()

    def close(self) -> None:
        """Grant no more slots: all who wait, and all who come, get `ServiceStopping`."""
        self._is_closed = True
        for queue in self._queues.values():
            for waiter in queue:
                _reject(waiter, ServiceStopping())

    async def wait_until_idle(self) -> None:
        """Return when no slot is in use."""
        await self._idle.wait()

    async def _wait(self, caller: str) -> None:
        if self._is_closed:
            raise ServiceStopping
        if self._running < self._max_running:
            self._take()
            return
        if self.waiting >= self._max_waiting:
            self._evict_for(caller)
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._queues.setdefault(caller, deque()).append(waiter)
        try:
            await self._wait_for_slot(waiter)
        except (asyncio.CancelledError, Busy, ServiceStopping):
            # Granted, but the caller was cancelled: the slot goes to the next.
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._release()
            raise
        finally:
            self._remove(caller, waiter)

    async def _wait_for_slot(self, waiter: Waiter) -> None:
        try:
            async with asyncio.timeout(MAX_WAIT_S):
                await waiter
        except TimeoutError:
            raise self._busy(f"and none was free for {MAX_WAIT_S:g} s") from None

    def _evict_for(self, caller: str) -> None:
        """Evict the last of the longest queue for a caller that has fewer waiting."""
        full = self._busy("and as many as may wait are waiting")
        longest = max(self._queues.values(), key=len, default=deque[Waiter]())
        if len(longest) <= len(self._queues.get(caller, ())) + 1:
            raise full
        _reject(longest.pop(), full)

    def _remove(self, caller: str, waiter: Waiter) -> None:
        queue = self._queues.get(caller, deque[Waiter]())
        if waiter in queue:
            queue.remove(waiter)
        if not queue:
            self._queues.pop(caller, None)

    def _take(self) -> None:
        self._running += 1
        self._idle.clear()

    def _release(self) -> None:
        self._running -= 1
        while self._queues and self._running < self._max_running:
            caller, queue = next(iter(self._queues.items()))
            waiter = queue.popleft()
            # A caller that was served goes behind all others.
            self._queues.move_to_end(caller)
            if not queue:
                del self._queues[caller]
            if not waiter.done():
                self._take()
                waiter.set_result(None)
        if self._running == 0:
            self._idle.set()

    def _busy(self, why: str) -> Busy:
        wait_s = (self.waiting + 1) * self._run_s / self._max_running
        seconds = min(MAX_RETRY_AFTER_S, max(1, math.ceil(wait_s)))
        return Busy(f"all {self._max_running} sandboxes are in use {why}", retry_after_s=seconds)


def _reject(waiter: Waiter, why: Busy | ServiceStopping) -> None:
    if not waiter.done():
        waiter.set_exception(why)

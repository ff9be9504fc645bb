"""The deadline of a run, which every wait in it is bounded by."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Final, TypeVar

CLEANUP_TIMEOUT_S: Final = 0.8

Result = TypeVar("Result")


class DeadlineExceeded(Exception):
    """The run's time is up; the awaited work has been cancelled."""


class SelfCancelled(Exception):
    """The awaited work cancelled itself."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the running event loop's clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Returns the deadline `seconds` from now."""
        return cls(asyncio.get_running_loop().time() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    async def wait_for(self, work: Coroutine[object, object, Result]) -> Result:
        """Awaits `work`; raises `DeadlineExceeded` when the deadline comes first.

        Raises `SelfCancelled` when the work cancels itself, which must not look as if the run were
        cancelled. Work that is cancelled, here or by the caller, gets `CLEANUP_TIMEOUT_S` to clean
        up. Work that ignores its cancellation is left behind, so that it cannot hold the run.
        """
        if not self.remaining:
            work.close()
            raise DeadlineExceeded
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=self.remaining)
        except asyncio.CancelledError:
            await cancel(task, CLEANUP_TIMEOUT_S)
            raise
        if not done:
            await cancel(task, CLEANUP_TIMEOUT_S)
            raise DeadlineExceeded
        if task.cancelled():
            raise SelfCancelled("it cancelled itself")
        return task.result()


async def cancel(task: asyncio.Future[Result], timeout_s: float) -> None:
    """Cancels `task` and waits until it has ended, at most `timeout_s` seconds."""
    task.cancel()
    task.add_done_callback(_retrieve_exception)
    await asyncio.wait({task}, timeout=timeout_s)


def _retrieve_exception(task: asyncio.Future[Result]) -> None:
    # asyncio reports an exception that is never retrieved.
    if not task.cancelled():
        task.exception()

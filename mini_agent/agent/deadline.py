"""The end of a run's time, and how every wait in it is cut there."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Final, TypeVar

CLEANUP_TIMEOUT_S: Final = 0.8

Result = TypeVar("Result")


class DeadlineExceeded(Exception):
    """The run's time is up; what was waited for has been cancelled."""


class SelfCancelled(Exception):
    """What was waited for cancelled itself."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the running event loop's clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """`seconds` from now."""
        return cls(asyncio.get_running_loop().time() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self.at - asyncio.get_running_loop().time())

    async def wait_for(self, work: Coroutine[object, object, Result]) -> Result:
        """The result of `work`; `DeadlineExceeded` when the deadline comes first, `SelfCancelled` when
        the work cancels itself, which must not look as if the run were cancelled.

        Work that is cut, here or by the caller's cancellation, gets a moment to clean up. Work
        that ignores its cancellation is left behind, so that it cannot hold the run.
        """
        if not self.remaining:
            work.close()
            raise DeadlineExceeded
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=self.remaining)
        except asyncio.CancelledError:
            await _cancel(task)
            raise
        if not done:
            await _cancel(task)
            raise DeadlineExceeded
        if task.cancelled():
            raise SelfCancelled("it cancelled itself")
        return task.result()


async def _cancel(task: asyncio.Task[Result]) -> None:
    task.cancel()
    task.add_done_callback(retrieve_exception)
    await asyncio.wait({task}, timeout=CLEANUP_TIMEOUT_S)


def retrieve_exception(task: asyncio.Task[Result]) -> None:
    # An error that nobody asks for would be reported as never retrieved.
    if not task.cancelled():
        task.exception()

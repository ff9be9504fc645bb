"""Being told to stop."""

from __future__ import annotations

import asyncio

from codex_sidecar.execution.fair_queue import FairQueue
from codex_sidecar.pool.lifecycle import Drain


class Places:
    """A door and its sandboxes; what was done to them in its order."""

    def __init__(self, queue: FairQueue) -> None:
        self.done = list[str]()
        self.killed = asyncio.Event()
        self._turns = queue

    def stop(self) -> None:
        self.done.append("not ready")

    def close_stocks(self) -> None:
        self.done.append("nothing warm" if self._turns.is_closed else "too early")

    async def kill_leased(self) -> None:
        self.done.append("killed")
        self.killed.set()


async def occupy(queue: FairQueue, places: Places, until: asyncio.Event) -> None:
    async with queue.slot():
        await until.wait()


async def test_what_ends_in_time_is_not_killed() -> None:
    queue, done = FairQueue(1, 1), asyncio.Event()
    places = Places(queue)
    running = asyncio.create_task(occupy(queue, places, done))
    await asyncio.sleep(0)
    draining = asyncio.create_task(Drain(places, queue, places, grace_s=30).run())
    await asyncio.sleep(0.1)
    assert places.done == ["not ready", "nothing warm"]
    done.set()
    await asyncio.gather(running, draining)
    assert "killed" not in places.done


async def test_what_does_not_end_in_time_is_killed() -> None:
    queue = FairQueue(1, 1)
    places = Places(queue)
    running = asyncio.create_task(occupy(queue, places, places.killed))
    await asyncio.sleep(0)
    await Drain(places, queue, places, grace_s=0.01).run()
    assert places.done[-1] == "killed"
    await running


async def test_a_second_word_ends_all_patience() -> None:
    queue = FairQueue(1, 1)
    places = Places(queue)
    running = asyncio.create_task(occupy(queue, places, places.killed))
    await asyncio.sleep(0)
    drain = Drain(places, queue, places, grace_s=30)
    draining = asyncio.create_task(drain.run())
    await asyncio.sleep(0.1)
    drain.force()
    await asyncio.gather(running, draining)
    assert places.done[-1] == "killed"

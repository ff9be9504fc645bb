"""Turns by themselves: caller by caller, and an end to them."""

from __future__ import annotations

import asyncio

import pytest

from codex_sidecar.errors import Busy, ServiceStopping
from codex_sidecar.execution.fair_queue import FairQueue


class Work:
    """Takes turns, and notes who had them; each lasts until it is let go."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.served = list[str]()
        self._ends = asyncio.Semaphore(0)

    async def ask(self, caller: str) -> None:
        async with self.queue.slot(caller):
            self.served.append(caller)
            await self._ends.acquire()

    async def end(self, count: int) -> None:
        for _ in range(count):
            self._ends.release()
            await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def asked(work: Work, *callers: str) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(work.ask(caller)) for caller in callers]
    await settle()
    return tasks


async def test_a_caller_of_one_does_not_wait_behind_another_of_many() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=20))
    tasks = await asked(work, *"aaaaa", "b", "c")
    await work.end(7)
    await asyncio.gather(*tasks)
    assert "".join(work.served) == "aabcaaa"


async def test_callers_with_as_many_each_alternate() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=20))
    tasks = await asked(work, *"aaabbb")
    await work.end(6)
    await asyncio.gather(*tasks)
    assert "".join(work.served) == "aababb"


async def test_a_full_queue_sends_away_the_last_of_whoever_has_most() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=3))
    tasks = await asked(work, *"aaaa")
    (newcomer,) = await asked(work, "b")
    with pytest.raises(Busy):
        await tasks[3]
    await work.end(4)
    await asyncio.gather(*tasks[:3], newcomer)
    assert "".join(work.served) == "aaba"


async def test_a_full_queue_has_no_room_for_one_more_of_the_same() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=2))
    tasks = await asked(work, *"aaa")
    with pytest.raises(Busy):
        await work.ask("a")
    await work.end(3)
    await asyncio.gather(*tasks)


async def test_who_leaves_the_queue_leaves_no_gap() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=3))
    first, leaver, last = await asked(work, *"abc")
    leaver.cancel()
    await settle()
    assert work.queue.waiting == 1
    await work.end(2)
    await asyncio.gather(first, last)
    assert work.served == ["a", "c"]


async def test_a_turn_given_to_someone_who_leaves_at_that_moment_goes_to_the_next() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=3))
    first, leaver, last = await asked(work, *"abc")
    first.cancel()
    leaver.cancel()
    await asyncio.wait([first, leaver])
    await work.end(1)
    await last
    assert work.served == ["a", "c"]


async def test_the_time_to_come_back_grows_with_the_queue_and_the_runs() -> None:
    queue = FairQueue(max_running=1, max_waiting=0)
    async with queue.slot():
        with pytest.raises(Busy) as soon:
            await Work(queue).ask("b")
    queue._run_s = 12.0
    async with queue.slot():
        with pytest.raises(Busy) as late:
            await Work(queue).ask("b")
    assert (soon.value.retry_after_s, late.value.retry_after_s) == (1, 12)


async def test_after_the_end_nobody_gets_a_turn_and_those_who_have_one_keep_it() -> None:
    work = Work(FairQueue(max_running=1, max_waiting=3))
    running, waiting = await asked(work, *"ab")
    work.queue.close()
    with pytest.raises(ServiceStopping):
        await waiting
    with pytest.raises(ServiceStopping):
        await work.ask("c")
    idle = asyncio.create_task(work.queue.wait_until_idle())
    await settle()
    assert not idle.done()
    await work.end(1)
    await asyncio.gather(running, idle)

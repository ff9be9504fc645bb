"""Many runs at a time in one process, each with its own conversation, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from mini_agent import arun_mcp_mini_agent, run_mcp_mini_agent
from mini_agent.config import AgentConfig
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import flush_litellm_logging
from mini_agent.result import AgentResult
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent.tools.catalog import EchoMCP

pytestmark = pytest.mark.timeout(400)

ROOT = Path(__file__).parents[2]
RUNS = 200
THREADS = 8


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the model is, in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.agent.echo_server"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()


def config(address: str) -> AgentConfig:
    return AgentConfig(
        model="openai/scripted", completion_kwargs={"api_base": address, "api_key": "none"}
    )


async def one(number: int, address: str) -> AgentResult:
    return await arun_mcp_mini_agent([user(f"word{number}")], EchoMCP(), config(address))


def one_at_once(number: int, address: str) -> AgentResult:
    return run_mcp_mini_agent([user(f"word{number}")], EchoMCP(), config(address))


def is_right(number: int, result: AgentResult) -> bool:
    said = result.final_answer.endswith(f"\nword{number}.")
    return said and result.stopped_reason == "success" and not broken_rules(result.messages)


async def many(runs: int, address: str) -> list[str]:
    """The wrong answers of so many runs at a time."""
    results = await asyncio.gather(*(one(number, address) for number in range(runs)))
    return [
        result.final_answer for number, result in enumerate(results) if not is_right(number, result)
    ]


@dataclass(frozen=True, slots=True)
class HeldModel:
    """What this process holds."""

    objects: int
    megabytes: float
    descriptors: int
    threads: int

    @classmethod
    def now(cls) -> HeldModel:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208  no names are needed
        page = os.sysconf("SC_PAGE_SIZE")
        megabytes = pages * page / 1024**2
        return cls(len(gc.get_objects()), megabytes, descriptors, threading.active_count())


@pytest.mark.usefixtures("_closing")
async def test_two_hundred_runs_at_a_time_are_all_right_and_leave_nothing(address: str) -> None:
    assert await many(RUNS, address) == []
    await flush_litellm_logging()
    before = HeldModel.now()
    assert await many(RUNS, address) == []
    await flush_litellm_logging()
    after = HeldModel.now()
    # What runs leave is counted; how much memory that is, is also up to the allocator. Timers that
    # have not fired yet are a few a run; what is left of a run that is held would be many more.
    assert after.objects <= before.objects + 10 * RUNS
    assert after.megabytes <= before.megabytes + 50
    assert after.descriptors <= before.descriptors + 10
    assert after.threads <= before.threads + 2


@pytest.mark.usefixtures("_closing")
async def test_the_event_loop_has_nothing_to_complain_about(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = math.inf  # how long a step takes says how busy the machine is
    with caplog.at_level(logging.WARNING, logger="asyncio"):
        assert await many(RUNS, address) == []
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


def test_blocking_runs_work_from_eight_threads(address: str) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(lambda number: one_at_once(number, address), range(4 * THREADS)))
    assert all(is_right(number, result) for number, result in enumerate(results))


async def test_a_blocking_run_works_inside_a_running_loop(address: str) -> None:
    assert is_right(7, one_at_once(7, address))


@pytest.mark.usefixtures("_closing")
async def test_blocking_runs_and_others_share_a_process(address: str) -> None:
    blocking = [asyncio.to_thread(one_at_once, number, address) for number in range(THREADS)]
    results = await asyncio.gather(*blocking, *(one(number, address) for number in range(THREADS)))
    assert all(is_right(number % THREADS, result) for number, result in enumerate(results))

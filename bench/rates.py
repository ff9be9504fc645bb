"""Measures throughput: bursts from warm sandboxes, sustained load, one session, the bare engine."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.hardened import confinement
from bench.http_connection import Address, HttpConnection, snippet_body
from bench.options import Options
from bench.sidecar_rows import (
    EXECUTE,
    PYTHON,
    execute,
    open_session,
)
from bench.stack import Stack
from codex_sidecar.engine.client import Engine

BURST: Final = 32
CALLERS: Final = 16
SESSION_RUNS: Final = 500
ONE_SNIPPET: Final = snippet_body("python", PYTHON)


@dataclass(frozen=True, slots=True)
class Sustained:
    """Single-use sandboxes per second: of the service, and of the bare engine."""

    ours: float
    bare: float
    windows: int

    @property
    def share(self) -> float:
        """The service's rate as a share of the engine's."""
        return self.ours / self.bare


@asynccontextmanager
async def open_connections(address: Address, number: int) -> AsyncIterator[list[HttpConnection]]:
    """Open `number` connections."""
    opened = [await HttpConnection.open(address) for _ in range(number)]
    try:
        yield opened
    finally:
        for connection in opened:
            await connection.close()


async def measure_bursts(stack: Stack, times: int) -> float:
    """The median rate of `times` bursts, each from a full pool."""
    rates = []
    for _ in range(times):
        await stack.wait_until_full()
        async with open_connections(stack.address, CALLERS) as callers:
            left = itertools.count(BURST, -1)
            began = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                for connection in callers:
                    group.create_task(_drain(connection, left))
            rates.append(BURST / (time.perf_counter() - began))
    return median(rates)


async def _drain(connection: HttpConnection, left: Iterator[int]) -> None:
    while next(left) > 0:
        await execute(connection, EXECUTE, ONE_SNIPPET)


async def measure_session(stack: Stack) -> float:
    """Snippets per second of one caller, one after the other, in one session."""
    async with open_connections(stack.address, 1) as (connection,):
        session = await open_session(connection)
        await stack.wait_until_full()  # what refills the stock would be counted as the session's
        began = time.perf_counter()
        for _ in range(SESSION_RUNS):
            await execute(connection, f"{session}/execute", ONE_SNIPPET)
        rate = SESSION_RUNS / (time.perf_counter() - began)
        await connection.request("DELETE", session)
    return rate


async def measure_sustained(stack: Stack, options: Options) -> Sustained:
    """Measure service and engine in turn, by windows, once no warm sandbox is left."""
    engine = Engine(options.socket)
    ours, bare = [], []
    try:
        for _ in range(options.windows):
            await stack.wait_until_full()
            async with open_connections(stack.address, CALLERS // 2) as callers:
                await _use_up_stock(stack, callers)
                work = [_service_work(connection) for connection in callers]
                ours.append(await _measure_rate(work, options.window_s))
            await stack.wait_until_full()
            # Two a core: more only wait for each other.
            workers = [_engine_work(engine, options) for _ in range(2 * options.cores)]
            bare.append(await _measure_rate(workers, options.window_s))
    finally:
        await engine.aclose()
    return Sustained(median(ours), median(bare), options.windows)


async def _use_up_stock(stack: Stack, callers: list[HttpConnection]) -> None:
    left = itertools.count(sum(stack.warm.values()) + BURST, -1)
    async with asyncio.TaskGroup() as group:
        for connection in callers:
            group.create_task(_drain(connection, left))


def _service_work(connection: HttpConnection) -> Callable[[], Awaitable[object]]:
    return lambda: execute(connection, EXECUTE, ONE_SNIPPET)


def _engine_work(engine: Engine, options: Options) -> Callable[[], Awaitable[object]]:
    return lambda: _run_container(engine, options)


async def _run_container(engine: Engine, options: Options) -> None:
    """Create a container as ours are, attach, start, read its output, remove it."""
    body = confinement(options.image("python"), "python").body()
    body |= {"Entrypoint": ["python3", "-I", "-S"], "Cmd": ["-c", PYTHON]}
    name = f"mini-agent-bench-{secrets.token_hex(8)}"
    await engine.create_container(name, body)
    try:
        streams = await engine.attach_to_container(name)
        try:
            await engine.start_container(name)
            await streams.read()
        finally:
            await streams.close()
    finally:
        await engine.remove_container(name)


async def _measure_rate(work: list[Callable[[], Awaitable[object]]], window_s: float) -> float:
    """Runs per second in the window; an unfinished run counts by its share."""
    began = time.perf_counter()
    done = [asyncio.create_task(_count_until(each, began + window_s)) for each in work]
    return sum([await each for each in done]) / window_s


async def _count_until(work: Callable[[], Awaitable[object]], end: float) -> float:
    done = 0.0
    while (started := time.perf_counter()) < end:
        await work()
        finished = time.perf_counter()
        done += 1 if finished <= end else (end - started) / (finished - started)
    return done

"""One run of the bench: starts the stack, then measures rows, rates and memory."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bench import memory, rates, sidecar_rows
from bench.baselines import bare_toolchain, docker_rows, host_rows
from bench.hardened import hardened_flags
from bench.http_connection import HttpConnection, snippet_body
from bench.machine import Machine, read_machine
from bench.options import Options
from bench.peers import Peer, peers, wait_until_ready
from bench.result import BenchResult, IdleMemory, RowTimes
from bench.row import Row
from bench.samples import Samples
from bench.stack import Stack, stack

OTHER_KINDS: Final = {"data": 3, "node": 3, "go": 2, "rust": 2, "bash": 2}
GVISOR: Final = "runsc"
TOOLCHAINS: Final = ("go", "rust")
WARM_UP: Final = 2


async def measure(options: Options) -> BenchResult:
    """Measure everything; the machine should have no other load."""
    here = await read_machine()
    async with AsyncExitStack() as opened:
        main = await opened.enter_async_context(
            stack(options, {"python": options.stock, **OTHER_KINDS})
        )
        await main.wait_until_full()
        before, idle = (
            memory.read_process_memory(main.sidecar),
            await memory.measure_idle(main.instance),
        )
        bench = _Bench(options, main, opened, {})
        rows = await bench.rounds(here)
        return await _measure_rest(bench, here, rows, before, idle)


async def _measure_rest(
    bench: _Bench,
    here: Machine,
    rows: dict[str, Samples],
    before: memory.ProcessMemory,
    idle: dict[str, memory.IdleSandbox],
) -> BenchResult:
    burst = await rates.measure_bursts(bench.main, bench.options.bursts)
    in_session = await rates.measure_session(bench.main)
    steady = await rates.measure_sustained(bench.main, bench.options)
    grown = await memory.measure_growth(bench.main, before, bench.options.runs)
    return BenchResult(
        machine=here,
        n=bench.options.n,
        rows={key: RowTimes(label=row.label, taken=tuple(row.taken)) for key, row in rows.items()},
        burst_per_s=burst,
        session_per_s=in_session,
        sustained_per_s=steady.ours,
        bare_per_s=steady.bare,
        idle={kind: _idle_memory(each) for kind, each in idle.items()},
        sidecar_before_mib=grown.before.mib,
        sidecar_after_mib=grown.after.mib,
        descriptors_before=grown.before.descriptors,
        descriptors_after=grown.after.descriptors,
        runs=grown.runs,
        reasons=bench.reasons,
        load_after=os.getloadavg()[0],
    )


def _idle_memory(each: memory.IdleSandbox) -> IdleMemory:
    return IdleMemory(number=each.number, cgroup=each.cgroup, shim=each.shim)


@dataclass(frozen=True, slots=True)
class _Bench:
    options: Options
    main: Stack
    opened: AsyncExitStack
    reasons: dict[str, str]

    async def rounds(self, here: Machine) -> dict[str, Samples]:
        connection = await self.opened.enter_async_context(_connection(self.main))
        session = await sidecar_rows.open_session(connection)
        stacks = [self.main]
        rows = [*host_rows(), *self._docker(), *sidecar_rows.rows(connection, session)]
        for language in TOOLCHAINS:
            bare = bare_toolchain(self.options, language)
            rows += [await self.opened.enter_async_context(bare)]
        if GVISOR in here.runtimes:
            other = await self.opened.enter_async_context(
                stack(self.options, {"python": 2}, GVISOR)
            )
            stacks.append(other)
            rows.append(_gvisor_row(await self.opened.enter_async_context(_connection(other))))
        else:
            self.reasons["runsc_p50_x"] = "the engine has no runtime runsc"
        others = await self.opened.enter_async_context(peers(self.options))
        rows += [other.row for other in others]
        try:
            return await run_rounds(rows, self.options.n, _settle(stacks, others))
        finally:
            await connection.request("DELETE", session)

    def _docker(self) -> list[Row]:
        flags = self.opened.enter_context(hardened_flags(self.options.image("python"), "python"))
        return list(docker_rows(self.options, flags))


@asynccontextmanager
async def _connection(to: Stack) -> AsyncIterator[HttpConnection]:
    connection = await HttpConnection.open(to.address)
    try:
        yield connection
    finally:
        await connection.close()


def _gvisor_row(connection: HttpConnection) -> Row:
    body = snippet_body("python", sidecar_rows.PYTHON)
    label = "python print(1), fresh, fork, under gVisor"
    return Row("runsc", label, lambda: sidecar_rows.execute(connection, sidecar_rows.EXECUTE, body))


def _settle(stacks: list[Stack], others: list[Peer]) -> Callable[[], Awaitable[None]]:
    async def settle() -> None:
        await wait_until_ready(others)
        async with asyncio.TaskGroup() as group:
            for each in stacks:
                group.create_task(each.wait_until_full())

    return settle


async def run_rounds(
    rows: Sequence[Row], n: int, settle: Callable[[], Awaitable[None]]
) -> dict[str, Samples]:
    """Sample every row `n` times; `settle` runs before each sample and is not timed."""
    samples = {row.key: Samples(row.label) for row in rows}
    for number in range(-WARM_UP, n):
        drawn = [row for row in rows for _ in range(row.times if number >= 0 else 1)]
        random.shuffle(drawn)
        for row in drawn:
            await settle()
            took = await _time(row)
            if number >= 0:
                samples[row.key].taken.append(took)
        _progress(f"round {max(0, number + 1)} of {n}")
    _progress("")
    return samples


async def _time(row: Row) -> float:
    began = time.perf_counter()
    printed = await row.once()
    took = (time.perf_counter() - began) * 1000
    if printed.strip() != row.expected():
        raise SystemExit(f"{row.label}: printed {printed!r}, not {row.expected()!r}")
    return took


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()

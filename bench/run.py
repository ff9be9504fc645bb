"""One run of the bench: the stack, the rounds, the rates, the memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from bench import memory, ours, rates
from bench.hardened import hardened_flags
from bench.line import Line, snippet
from bench.machine import Machine, machine
from bench.measured import Held, Measured, Timed
from bench.options import Options
from bench.peers import Peer, all_ready, peers
from bench.rounds import interleaved
from bench.row import Row
from bench.samples import Samples
from bench.stack import Stack, stack
from bench.yardsticks import bare_toolchain, docker_rows, host_rows

OTHERS: Final = {"data": 3, "node": 3, "go": 2, "rust": 2, "bash": 2}
SANDBOXED: Final = "runsc"
TOOLCHAINS: Final = ("go", "rust")


async def measure(options: Options) -> Measured:
    """Everything, on a machine that had better do nothing else."""
    here = await machine()
    async with AsyncExitStack() as opened:
        main = await opened.enter_async_context(stack(options, {"python": options.stock, **OTHERS}))
        await main.until_full()
        before, idle = memory.own(main.sidecar), await memory.idle(main.instance)
        bench = _Bench(options, main, opened, {})
        rows = await bench.rounds(here)
        return await _measured(bench, here, rows, before, idle)


@dataclass(frozen=True, slots=True)
class _Bench:
    options: Options
    main: Stack
    opened: AsyncExitStack
    reasons: dict[str, str]

    async def rounds(self, here: Machine) -> dict[str, Samples]:
        line = await self.opened.enter_async_context(_line(self.main))
        session = await ours.open_session(line)
        stacks = [self.main]
        rows = [*host_rows(), *self._docker(), *ours.rows(line, session)]
        for language in TOOLCHAINS:
            bare = bare_toolchain(self.options, language)
            rows += [await self.opened.enter_async_context(bare)]
        if SANDBOXED in here.runtimes:
            other = await self.opened.enter_async_context(
                stack(self.options, {"python": 2}, SANDBOXED)
            )
            stacks.append(other)
            rows.append(_sandboxed(await self.opened.enter_async_context(_line(other))))
        else:
            self.reasons["runsc_p50_x"] = "the engine has no runtime runsc"
        others = await self.opened.enter_async_context(peers(self.options))
        rows += [other.row for other in others]
        try:
            return await interleaved(rows, self.options.n, _all_full(stacks, others))
        finally:
            await line.ask("DELETE", session)

    def _docker(self) -> list[Row]:
        flags = self.opened.enter_context(hardened_flags(self.options.image("python"), "python"))
        return list(docker_rows(self.options, flags))


def _all_full(stacks: list[Stack], others: list[Peer]) -> Callable[[], Awaitable[None]]:
    async def settle() -> None:
        await all_ready(others)
        async with asyncio.TaskGroup() as group:
            for each in stacks:
                group.create_task(each.until_full())

    return settle


def _sandboxed(line: Line) -> Row:
    body = snippet("python", ours.PYTHON)
    label = "python print(1), fresh, fork, under gVisor"
    return Row("runsc", label, lambda: ours.asked(line, ours.EXECUTE, body))


@asynccontextmanager
async def _line(to: Stack) -> AsyncIterator[Line]:
    line = await Line.to(to.address)
    try:
        yield line
    finally:
        await line.close()


async def _measured(
    bench: _Bench,
    here: Machine,
    rows: dict[str, Samples],
    before: memory.Own,
    idle: dict[str, memory.Idle],
) -> Measured:
    burst = await rates.bursts(bench.main, bench.options.bursts)
    in_session = await rates.session_rate(bench.main)
    steady = await rates.sustained(bench.main, bench.options)
    grown = await memory.growth(bench.main, before, bench.options.runs)
    return Measured(
        machine=here,
        n=bench.options.n,
        rows={key: Timed(label=row.label, taken=tuple(row.taken)) for key, row in rows.items()},
        burst_per_s=burst,
        session_per_s=in_session,
        sustained_per_s=steady.ours,
        bare_per_s=steady.bare,
        idle={kind: _held(each) for kind, each in idle.items()},
        sidecar_before_mib=grown.before.mib,
        sidecar_after_mib=grown.after.mib,
        descriptors_before=grown.before.descriptors,
        descriptors_after=grown.after.descriptors,
        runs=grown.runs,
        reasons=bench.reasons,
        load_after=os.getloadavg()[0],
    )


def _held(each: memory.Idle) -> Held:
    return Held(number=each.number, cgroup=each.cgroup, shim=each.shim)

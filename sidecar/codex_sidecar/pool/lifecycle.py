"""Opens and closes the pool with its workers, and drains it when the sidecar is stopped."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from codex_sidecar import metrics
from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import ImageCatalog
from codex_sidecar.engine.limits import Machine
from codex_sidecar.kinds import SandboxKind
from codex_sidecar.pool.fleet import Fleet, InstanceConfig
from codex_sidecar.pool.inventory import Inventory
from codex_sidecar.pool.pool import Pool
from codex_sidecar.pool.stock import LeaseActivity, Stock, StockBounds
from codex_sidecar.pool.warmer import Warmer
from codex_sidecar.runner.container import Container

WORKERS: Final = min(8, os.cpu_count() or 1)
MAX_CONCURRENT_REMOVALS: Final = 8

log = logging.getLogger(__name__)


class StoppableGate(Protocol):
    """The readiness gate, as far as a shutdown closes it."""

    def stop(self) -> None:
        """Report not ready from now on."""
        ...


class SlotQueue(Protocol):
    """The queue for slots, as far as a shutdown closes it."""

    def close(self) -> None:
        """Grant no more slots."""
        ...

    async def wait_until_idle(self) -> None:
        """Return when no slot is in use."""
        ...


class DrainablePool(Protocol):
    """The pool, as far as a shutdown needs it."""

    def close_stocks(self) -> None:
        """Keep nothing warm from now on."""
        ...

    async def kill_leased(self) -> None:
        """Kill every sandbox that is in use."""
        ...


class Drain:
    """Graceful shutdown: running snippets have `grace_s` seconds, then they are killed."""

    def __init__(
        self, gate: StoppableGate, queue: SlotQueue, pool: DrainablePool, grace_s: float
    ) -> None:
        self._gate, self._queue, self._pool = gate, queue, pool
        self._grace_s = grace_s
        self._is_forced = asyncio.Event()

    async def run(self) -> None:
        """Return when nothing runs any more."""
        log.info("stopping", extra={"patience_s": self._grace_s})
        self._gate.stop()
        self._queue.close()
        self._pool.close_stocks()
        idle = asyncio.create_task(self._queue.wait_until_idle())
        forced = asyncio.create_task(self._is_forced.wait())
        try:
            await asyncio.wait(
                {idle, forced}, timeout=self._grace_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not idle.done():
                log.warning("snippets are killed to stop")
                await self._pool.kill_leased()
        finally:
            for task in (idle, forced):
                task.cancel()

    def force(self) -> None:
        """Kill at once what still runs."""
        self._is_forced.set()


@dataclass(frozen=True, slots=True)
class StockSizes:
    """How many sandboxes to keep warm: at least, by kind, and at most of one kind."""

    minimum: Mapping[SandboxKind, int]
    maximum: int


@asynccontextmanager
async def open_pool(
    engine: Engine,
    catalog: ImageCatalog,
    config: InstanceConfig,
    machine: Machine,
    sizes: StockSizes,
) -> AsyncIterator[Pool]:
    """Open a pool with its workers; all leases have to end before it closes."""
    fleet, activity = Fleet(engine, catalog, config), LeaseActivity()
    stocks = {
        kind: Stock[Container](kind, StockBounds(floor, max(floor, sizes.maximum)))
        for kind, floor in sizes.minimum.items()
    }
    for kind, stock in stocks.items():
        metrics.track_stock(kind, stock)
    warmer = Warmer(fleet, tuple(stocks.values()), machine, activity)
    pool = Pool(fleet, stocks, machine, activity, warmer)
    inventory = Inventory(engine, catalog, fleet, tuple(stocks.values()), warmer).run()
    tasks = [
        asyncio.create_task(run) for run in (inventory, *(warmer.run() for _ in range(WORKERS)))
    ]
    try:
        yield pool
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        pool.close_stocks()
        await _remove_all(fleet)
        await fleet.wait_for_removals()


async def _remove_all(fleet: Fleet) -> None:
    async with asyncio.TaskGroup() as removals:
        for _ in range(MAX_CONCURRENT_REMOVALS):
            removals.create_task(_remove_discarded(fleet))


async def _remove_discarded(fleet: Fleet) -> None:
    while (container := fleet.next_discarded()) is not None:
        await fleet.remove(container)

"""Background workers: they fill the stocks and remove used sandboxes while leases are quiet."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Final

from codex_sidecar.engine.limits import Machine
from codex_sidecar.kinds import kind_language, kind_preload
from codex_sidecar.pool.fleet import Fleet, SandboxSpec
from codex_sidecar.pool.stock import MAX_AGE_S, LeaseActivity, Stock
from codex_sidecar.runner.container import Container
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.snippet import Limits

MAX_LEASE_S: Final = 3600.0
# A member may wait in stock as long as it may, and then be leased as long as it may.
LIFETIME_S: Final = MAX_AGE_S + MAX_LEASE_S + 300.0

log = logging.getLogger(__name__)


class Warmer:
    """Chooses the next task for each worker."""

    def __init__(
        self,
        fleet: Fleet,
        stocks: tuple[Stock[Container], ...],
        machine: Machine,
        activity: LeaseActivity,
    ) -> None:
        self._fleet, self._stocks, self._machine = fleet, stocks, machine
        self._activity = activity
        self._has_work = asyncio.Event()

    def wake(self) -> None:
        """Let the workers look for tasks."""
        self._has_work.set()

    async def run(self) -> None:
        """Work without end; each of several workers runs this."""
        while True:
            if (task := self._next_task()) is not None:
                await task
            else:
                self._has_work.clear()
                await self._has_work.wait()

    def _next_task(self) -> Awaitable[None] | None:
        neediest = max(self._stocks, key=_urgency, default=None)
        if neediest is not None and neediest.shortage <= 0:
            neediest = None
        # Used sandboxes hold memory, so they go before a stock grows that is not empty.
        if neediest is None or len(neediest) > 0:
            discarded = self._fleet.next_discarded()
            if discarded is not None:
                return self._remove(discarded)
        return None if neediest is None else self._fill(neediest)

    async def _remove(self, container: Container) -> None:
        try:
            await self._activity.wait_until_quiet()
        except asyncio.CancelledError:
            self._fleet.discard(container)
            raise
        await self._fleet.remove(container)

    async def _fill(self, stock: Stock[Container]) -> None:
        stock.starting += 1
        try:
            await self._activity.wait_until_quiet()
            image_id = stock.image_id
            stock.put(await self._start_member(stock), image_id)
            stock.backoff.reset()
        except MiniAgentError as failed:
            pause_s = stock.backoff.record_failure()
            why = {"pool": stock.kind, "why": str(failed), "again_in_s": round(pause_s, 1)}
            log.warning("no warm sandbox", extra=why)
        finally:
            stock.starting -= 1

    async def _start_member(self, stock: Stock[Container]) -> Container:
        language = kind_language(stock.kind)
        limits = await self._machine.resolve_limits(Limits(), language)
        return await self._fleet.start(
            SandboxSpec(language, limits, LIFETIME_S, preload=kind_preload(stock.kind))
        )


def _urgency(stock: Stock[Container]) -> float:
    """Return the share of the target that is missing: 1 for an empty stock."""
    return stock.shortage / max(1, stock.target)

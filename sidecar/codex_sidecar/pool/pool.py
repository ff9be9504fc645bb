"""Leases: the right to use one container in which nothing has run before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from codex_sidecar import metrics
from codex_sidecar.engine.limits import Machine
from codex_sidecar.errors import EngineRefused
from codex_sidecar.kinds import (
    Preload,
    SandboxKind,
    kind_language,
    select_kind,
)
from codex_sidecar.pool.fleet import Fleet, SandboxSpec
from codex_sidecar.pool.stock import LeaseActivity, Stock
from codex_sidecar.pool.warmer import LIFETIME_S, Warmer
from codex_sidecar.runner.container import Container
from codex_sidecar.runner.languages import ImageContents
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits

MAX_NAME_ATTEMPTS: Final = 3


class Pool:
    """Leases a warm sandbox at once, or one that is started for the lease."""

    def __init__(
        self,
        fleet: Fleet,
        stocks: Mapping[SandboxKind, Stock[Container]],
        machine: Machine,
        activity: LeaseActivity,
        warmer: Warmer,
    ) -> None:
        self._fleet, self._stocks, self._machine = fleet, stocks, machine
        self._activity, self._warmer = activity, warmer
        self._leased = set[Container]()

    @property
    def alive(self) -> frozenset[str]:
        """The names of all containers that this process owns."""
        return self._fleet.alive

    async def image_contents(self, language: Language) -> ImageContents:
        """Return what a language's image contains; the first time, a sandbox is started for it."""
        if (known := self._fleet.image_contents(language)) is not None:
            return known
        limits = await self._machine.resolve_limits(Limits(), language)
        async with self.lease(language, limits) as container:
            return container.image_contents

    def count_warm(self, language: Language) -> int:
        """Return how many sandboxes of this language's image are warm."""
        kinds = [kind for kind in self._stocks if kind_language(kind) == language]
        return sum(len(self._stocks[kind]) for kind in kinds)

    @asynccontextmanager
    async def lease(
        self,
        language: Language,
        limits: EnforcedLimits,
        preload: Preload = "plain",
        lifetime_s: float = LIFETIME_S,
    ) -> AsyncIterator[Container]:
        """Lease a started sandbox, removed afterwards.

        `lifetime_s`: after that a sandbox that is started for this lease ends by itself.
        """
        container = await self._take_warm(language, limits, preload)
        if container is None:
            container = await self._start_cold(SandboxSpec(language, limits, lifetime_s, preload))
        container.set_snippet_limits(limits)
        self._leased.add(container)
        try:
            yield container
        finally:
            self._activity.record()
            self._leased.discard(container)
            self._fleet.discard(container)
            self._warmer.wake()

    def close_stocks(self) -> None:
        """Keep nothing warm from now on."""
        for stock in self._stocks.values():
            for member in stock.close():
                self._fleet.discard(member)
        self._warmer.wake()

    async def kill_leased(self) -> None:
        """Kill every sandbox that is in use."""
        async with asyncio.TaskGroup() as kills:
            for container in self._leased:
                kills.create_task(container.kill())

    async def _take_warm(
        self, language: Language, limits: EnforcedLimits, preload: Preload
    ) -> Container | None:
        kind = select_kind(language, preload)
        if not self._stocks or not _have_same_confinement(
            limits, await self._machine.resolve_limits(Limits(), language)
        ):
            return None
        if kind in self._stocks:
            self._stocks[kind].record_demand()
        # Importing in a plain sandbox is still faster than a cold start.
        for other in dict.fromkeys((kind, language)):
            if (member := self._take_alive(other)) is not None:
                metrics.record_warm_lease(other)
                return member
        metrics.record_cold_lease(kind)
        return None

    def _take_alive(self, kind: SandboxKind) -> Container | None:
        stock = self._stocks.get(kind)
        while stock is not None and (member := stock.take()) is not None:
            self._activity.record()
            self._warmer.wake()
            if member.is_alive:
                return member
            self._fleet.discard(member)
        return None

    async def _start_cold(self, spec: SandboxSpec) -> Container:
        await self._fleet.wait_for_room()
        for _ in range(MAX_NAME_ATTEMPTS - 1):
            try:
                return await self._fleet.start(spec)
            except EngineRefused as refused:
                # The name is taken; the next attempt draws another.
                if refused.status != HTTPStatus.CONFLICT:
                    raise
        return await self._fleet.start(spec)


def _have_same_confinement(one: EnforcedLimits, other: EnforcedLimits) -> bool:
    """Whether the limits that the engine enforces are the same."""
    snippet_limits = {"timeout_s", "output_bytes"}
    return one.model_dump(exclude=snippet_limits) == other.model_dump(exclude=snippet_limits)

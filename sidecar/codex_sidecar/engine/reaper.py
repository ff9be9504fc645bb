"""Removes the sandboxes that no living sidecar owns."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final, Protocol

from codex_sidecar import metrics
from codex_sidecar.engine.confinement import DEADLINE_LABEL, INSTANCE_LABEL
from codex_sidecar.engine.models import ContainerSummary
from mini_agent_protocol.errors import MiniAgentError

INTERVAL_S: Final = 5.0
MAX_CONCURRENT_REMOVALS: Final = 4

log = logging.getLogger(__name__)


class SandboxEngine(Protocol):
    """The engine, as far as the reaper needs it."""

    async def list_sandboxes(self) -> list[ContainerSummary]:
        """Return every sandbox."""
        ...

    async def remove_container(self, name: str) -> None:
        """Remove one."""
        ...


class Reaper:
    """Removes orphaned sandboxes at the start and on a timer.

    `list_known` returns the names of the sandboxes that this process owns.
    """

    def __init__(
        self, containers: SandboxEngine, instance: str, list_known: Callable[[], frozenset[str]]
    ) -> None:
        self._containers, self._instance, self._list_known = containers, instance, list_known
        self._failed = ""

    async def run(self) -> None:
        """Reap without end, every INTERVAL_S."""
        while True:
            await self.run_once()
            await asyncio.sleep(INTERVAL_S)

    async def run_once(self) -> None:
        """Reap once; an engine that is unavailable is tried again the next time."""
        try:
            await self._remove_orphans()
            failed = ""
        except MiniAgentError as error:
            failed = str(error)
        if failed and failed != self._failed:
            log.warning("the reaper could not finish its round", extra={"why": failed})
        self._failed = failed

    async def _remove_orphans(self) -> None:
        known_before = self._list_known()
        orphans = [
            container
            for container in await self._containers.list_sandboxes()
            if self._is_orphan(container, known_before)
        ]
        slots = asyncio.Semaphore(MAX_CONCURRENT_REMOVALS)
        removals = [self._remove(container, slots) for container in orphans]
        # Each is tried, even where others fail.
        for failed in await asyncio.gather(*removals, return_exceptions=True):
            if failed is not None:
                raise failed

    async def _remove(self, container: ContainerSummary, slots: asyncio.Semaphore) -> None:
        async with slots:
            await self._containers.remove_container(container.name)
            metrics.record_reaped()
            log.info("sandbox reaped", extra={"sandbox": container.name})

    def _is_orphan(self, container: ContainerSummary, known_before: frozenset[str]) -> bool:
        if container.labels.get(INSTANCE_LABEL) == self._instance:
            # INVARIANT: an instance is one living process, so what it does not know is what its
            # predecessor left behind.
            return container.name not in known_before | self._list_known()
        deadline = container.labels.get(DEADLINE_LABEL, "")
        return not deadline.isdecimal() or int(deadline) < time.time()

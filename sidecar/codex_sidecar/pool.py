"""The right to use a sandbox. Each lease is of a container that has run nothing before."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from codex_sidecar.catalog import COMPILE_TIMEOUT_S, Catalog
from codex_sidecar.confinement import Confinement
from codex_sidecar.container import START_S, Container
from codex_sidecar.engine import Engine
from mini_agent.errors import MiniAgentError
from mini_agent.sandbox import EnforcedLimits, Language

FIRST_UID: Final = 100_000
UIDS: Final = 1_000_000_000
SPARE_S: Final = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an instance's sandboxes have in common; `most_alive` counts those being removed."""

    instance: str
    runtime: str
    most_alive: int


class Pool:
    """Makes a container for each lease and removes it afterwards, out of the caller's way."""

    def __init__(self, engine: Engine, catalog: Catalog, terms: Terms) -> None:
        self._engine, self._catalog, self._terms = engine, catalog, terms
        self._room = asyncio.Semaphore(terms.most_alive)
        self._alive: dict[str, Container] = {}
        self._removals: set[asyncio.Task[None]] = set()

    @property
    def runtime(self) -> str:
        """The runtime its containers run under."""
        return self._terms.runtime

    @property
    def alive(self) -> frozenset[str]:
        """The names of the containers in use or being removed."""
        return frozenset(self._alive)

    @asynccontextmanager
    async def lease(self, language: Language, limits: EnforcedLimits) -> AsyncIterator[Container]:
        """A started sandbox; whatever happens in the block, it is removed afterwards."""
        await self._room.acquire()
        container = self._fresh(language, limits)
        self._alive[container.name] = container
        try:
            await container.start()
            yield container
        finally:
            removal = asyncio.create_task(self._remove(container))
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)

    async def aclose(self) -> None:
        """Waits until the last container is gone."""
        while self._removals:
            await asyncio.wait(self._removals)

    def _fresh(self, language: Language, limits: EnforcedLimits) -> Container:
        lifetime = START_S + COMPILE_TIMEOUT_S + limits.timeout_s + SPARE_S
        confinement = Confinement(
            image=self._catalog.image(language),
            runtime=self._terms.runtime,
            uid=self._uid(),
            limits=limits,
            instance=self._terms.instance,
            deadline=int(time.time() + lifetime),
            lifetime_s=lifetime,
        )
        return Container(self._engine, f"mini-agent-sandbox-{secrets.token_hex(8)}", confinement)

    def _uid(self) -> int:
        """A user that no living sandbox has; drawn at random, as other instances have theirs."""
        # INVARIANT: the kernel counts inotify instances, pipes and keys per user of the host: two
        # sandboxes with one user could starve each other.
        taken = {container.confinement.uid for container in self._alive.values()}
        while True:
            uid = FIRST_UID + secrets.randbelow(UIDS)
            if uid not in taken:
                return uid

    async def _remove(self, container: Container) -> None:
        try:
            await container.remove()
        except MiniAgentError as failed:
            # No longer among the living, so the reaper takes it when the engine is back.
            log.warning(
                "sandbox not removed", extra={"sandbox": container.name, "why": str(failed)}
            )
        finally:
            del self._alive[container.name]
            self._room.release()

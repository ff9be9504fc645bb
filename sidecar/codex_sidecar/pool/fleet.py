"""Every sandbox of this process, from before its creation until after its removal."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import MIN_UID, UID_COUNT, Confinement, ImageCatalog
from codex_sidecar.kinds import Preload
from codex_sidecar.runner.about import ImageContents
from codex_sidecar.runner.container import Container
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.languages import Language

DEADLINE_MARGIN_S: Final = 60.0
MAX_DISCARDED: Final = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """What an instance's sandboxes have in common."""

    instance: str
    runtime: str


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """A sandbox to be: it ends by itself after `lifetime_s`."""

    language: Language
    limits: EnforcedLimits
    lifetime_s: float
    preload: Preload = "plain"


class Fleet:
    """Starts sandboxes, and remembers those that are discarded until somebody removes them."""

    def __init__(self, engine: Engine, catalog: ImageCatalog, config: InstanceConfig) -> None:
        self._engine, self._catalog, self._config = engine, catalog, config
        self._alive: dict[str, Container] = {}
        self._contents: dict[Language, ImageContents] = {}
        self._discarded = deque[Container]()
        self._removals = set[asyncio.Task[None]]()
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def runtime(self) -> str:
        """The runtime its sandboxes run under."""
        return self._config.runtime

    @property
    def alive(self) -> frozenset[str]:
        """The names of all that exist, or may exist already or still."""
        return frozenset(self._alive)

    async def start(self, spec: SandboxSpec) -> Container:
        """A sandbox that is ready."""
        container = self._create_container(spec)
        self._alive[container.name] = container
        try:
            await container.start()
        except BaseException:
            self.discard(container)
            raise
        self._contents[spec.language] = container.about
        return container

    def about(self, language: Language) -> ImageContents | None:
        """What the last sandbox of this language's image said of it; None of none yet."""
        return self._contents.get(language)

    def discard(self, container: Container) -> None:
        """It is not used any more."""
        self._discarded.append(container)
        if len(self._discarded) > MAX_DISCARDED:
            self._has_room.clear()

    def next_discarded(self) -> Container | None:
        """The one that is to be removed next, by whoever asks."""
        return self._discarded.popleft() if self._discarded else None

    async def wait_for_room(self) -> None:
        """Waits while too many are still to be removed."""
        await self._has_room.wait()

    async def remove(self, container: Container) -> None:
        """Removes one that was discarded; goes on when whoever waits for it does not."""
        removal = asyncio.create_task(self._remove(container))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)
        await asyncio.shield(removal)

    async def wait_for_removals(self) -> None:
        """Waits for the removals that have begun."""
        while self._removals:
            await asyncio.wait(self._removals)

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
            if len(self._discarded) <= MAX_DISCARDED:
                self._has_room.set()

    def _create_container(self, spec: SandboxSpec) -> Container:
        confinement = Confinement(
            image=self._catalog.image(spec.language),
            runtime=self._config.runtime,
            uid=self._choose_uid(),
            limits=spec.limits,
            instance=self._config.instance,
            deadline=int(time.time() + spec.lifetime_s + DEADLINE_MARGIN_S),
            lifetime_s=spec.lifetime_s,
            preload=spec.preload,
        )
        return Container(self._engine, f"mini-agent-sandbox-{secrets.token_hex(8)}", confinement)

    def _choose_uid(self) -> int:
        """A user that no living sandbox has; drawn at random, as other instances have theirs."""
        # INVARIANT: the kernel counts inotify instances, pipes and keys per user of the host: two
        # sandboxes with one user could starve each other.
        used_uids = {container.confinement.uid for container in self._alive.values()}
        while True:
            uid = MIN_UID + secrets.randbelow(UID_COUNT)
            if uid not in used_uids:
                return uid

"""Every sandbox of this process, from before its creation until after its removal."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from codex_sidecar.engine.client import Engine
from codex_sidecar.engine.confinement import MIN_UID, UID_COUNT, Confinement, ImageCatalog
from codex_sidecar.kinds import Preload
from codex_sidecar.runner.container import Container
from codex_sidecar.runner.languages import ImageContents
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.execution import EnforcedLimits
from mini_agent_protocol.languages import Language

DEADLINE_MARGIN_S: Final = 60.0
MAX_DISCARDED: Final = 64

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """The label and the runtime that all sandboxes of this process share."""

    instance: str
    runtime: str


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """A sandbox to be started; it ends by itself after `lifetime_s`."""

    language: Language
    limits: EnforcedLimits
    lifetime_s: float
    preload: Preload = "plain"


class Fleet:
    """Starts sandboxes, and keeps those that are discarded until they are removed."""

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
        """The runtime that its sandboxes use."""
        return self._config.runtime

    @property
    def alive(self) -> frozenset[str]:
        """The names of all sandboxes that exist, or may exist."""
        return frozenset(self._alive)

    async def start(self, spec: SandboxSpec) -> Container:
        """Start a sandbox; returns when its runner is ready."""
        container = self._create_container(spec)
        self._alive[container.name] = container
        with ExitStack() as on_failure:
            on_failure.callback(self.discard, container)
            await container.start()
            on_failure.pop_all()
        self._contents[spec.language] = container.image_contents
        return container

    def image_contents(self, language: Language) -> ImageContents | None:
        """Return what the last sandbox of this language's image reported; None before the first."""
        return self._contents.get(language)

    def discard(self, container: Container) -> None:
        """Mark a sandbox for removal."""
        self._discarded.append(container)
        if len(self._discarded) > MAX_DISCARDED:
            self._has_room.clear()

    def next_discarded(self) -> Container | None:
        """Take the next sandbox to remove; None where there is none."""
        return self._discarded.popleft() if self._discarded else None

    async def wait_for_room(self) -> None:
        """Wait while too many are still to be removed."""
        await self._has_room.wait()

    async def remove(self, container: Container) -> None:
        """Remove a discarded sandbox; the removal goes on when the caller is cancelled."""
        removal = asyncio.create_task(self._remove(container))
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)
        await asyncio.shield(removal)

    async def wait_for_removals(self) -> None:
        """Wait for the removals in progress."""
        while self._removals:
            await asyncio.wait(self._removals)

    async def _remove(self, container: Container) -> None:
        try:
            await container.remove()
        except MiniAgentError as failed:
            # It is no longer among the known, so the reaper removes it when the engine is back.
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
        """Draw a user id that no living sandbox has; random, as other instances draw theirs."""
        # INVARIANT: the kernel counts inotify instances, pipes and keys per user of the host: two
        # sandboxes with one user could starve each other.
        used_uids = {container.confinement.uid for container in self._alive.values()}
        while True:
            uid = MIN_UID + secrets.randbelow(UID_COUNT)
            if uid not in used_uids:
                return uid

"""A sandbox that a session keeps from one snippet to the next."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Protocol

from codex_sidecar.kinds import Preload
from codex_sidecar.runner.container import Container
from codex_sidecar.runner.workspace import Workspace
from mini_agent_protocol.execution import EnforcedLimits, SandboxFacts
from mini_agent_protocol.languages import Language


class Leases(Protocol):
    """The pool, as far as sessions need it."""

    def lease(
        self, language: Language, limits: EnforcedLimits, preload: Preload = "plain"
    ) -> AbstractAsyncContextManager[Container]:
        """A started sandbox that nothing has run in, for as long as the block lasts."""
        ...


@dataclass(slots=True)
class Held:
    """The container, what it was found to enforce, and its workspace."""

    container: Container
    limits: EnforcedLimits
    facts: SandboxFacts
    workspace: Workspace
    _lease: AsyncExitStack

    @property
    def is_usable(self) -> bool:
        """Whether a snippet can run in it."""
        return self.container.is_alive and self.workspace.is_sound

    async def close(self) -> None:
        """Gives it up; whatever runs in it is killed."""
        await self._lease.aclose()


async def hold(pool: Leases, language: Language, limits: EnforcedLimits, preload: Preload) -> Held:
    """Takes a sandbox out of the pool, for as long as it is wanted."""
    async with AsyncExitStack() as lease:
        container = await lease.enter_async_context(pool.lease(language, limits, preload))
        held, facts = await container.enforced()
        return Held(container, held, facts, Workspace(container), lease.pop_all())

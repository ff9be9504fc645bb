"""The sandboxes of one session, one of each kind in use, and where the workspace is.

A sandbox that a session keeps from one snippet to the next.

The limits of a snippet in a session, where most were fixed when its sandbox was started.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from codex_sidecar.errors import RefusedCall, RunnerLost
from codex_sidecar.kinds import Preload, SandboxKind, kind_language, kind_preload
from codex_sidecar.runner.container import Container
from codex_sidecar.runner.workspace import Workspace
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import EnforcedLimits, SandboxFacts
from mini_agent_protocol.languages import Language
from mini_agent_protocol.snippet import Limits


class SandboxPool(Protocol):
    """The pool, as far as sessions need it."""

    def lease(
        self, language: Language, limits: EnforcedLimits, preload: Preload = "plain"
    ) -> AbstractAsyncContextManager[Container]:
        """A started sandbox that nothing has run in, for as long as the block lasts."""
        ...


@dataclass(slots=True)
class SessionSandbox:
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


async def lease_sandbox(
    pool: SandboxPool, language: Language, limits: EnforcedLimits, preload: Preload
) -> SessionSandbox:
    """Takes a sandbox out of the pool, for as long as it is wanted."""
    async with AsyncExitStack() as lease:
        container = await lease.enter_async_context(pool.lease(language, limits, preload))
        held, facts = await container.enforced()
        return SessionSandbox(container, held, facts, Workspace(container), lease.pop_all())


FIXED_LIMITS: Final = ("memory_mb", "cpus", "pids", "workspace_mb")


def merge_limits(asked: Limits, usual: Limits) -> Limits:
    """What a snippet asks for in a session whose snippets have `usual` where they say nothing."""
    return usual.model_copy(update=asked.model_dump(exclude_none=True))


def apply_fixed_limits(
    asked: Limits, settled: EnforcedLimits, held: EnforcedLimits
) -> EnforcedLimits:
    """What holds in a sandbox that was started with `held`.

    Time and output are `settled` anew for each snippet; `BadRequest` names a limit that would need
    another sandbox.
    """
    for name in FIXED_LIMITS:
        wanted, has = getattr(asked, name), getattr(held, name)
        if wanted is not None and round(wanted, 3) != has:
            raise BadRequest(
                f"limits.{name} {wanted:g}: this session's sandbox was started with {has:g}",
                field=f"limits.{name}",
                hint="name it when the session is opened, or open another session",
            )
    return held.model_copy(
        update={"timeout_s": settled.timeout_s, "output_bytes": settled.output_bytes}
    )


MAX_SANDBOXES: Final = 3


class SessionSandboxes:
    """Takes sandboxes when they are first needed; the workspace goes along from one to the next."""

    def __init__(self, pool: SandboxPool) -> None:
        self._pool = pool
        self._held: dict[SandboxKind, SessionSandbox] = {}
        self._home: SandboxKind | None = None
        self.workspace: Literal["new", "kept", "lost"] = "new"

    def limits(self, kind: SandboxKind) -> EnforcedLimits | None:
        """What a sandbox of this kind enforces, None where there is none."""
        held = self._held.get(kind)
        return held.limits if held and held.is_usable else None

    async def home(self) -> SessionSandbox | None:
        """The sandbox that has the workspace, None where there is no workspace yet."""
        await self._drop_the_lost()
        return self._held[self._home] if self._home else None

    async def at(self, kind: SandboxKind, limits: EnforcedLimits) -> SessionSandbox:
        """A sandbox of this kind, with the workspace in it.

        Raises `RefusedCall` where the workspace cannot be brought there, and then it stays.
        """
        await self._drop_the_lost()
        held = self._held.pop(kind, None)
        is_fresh = held is None
        if held is None:
            await self._make_room()
            held = await lease_sandbox(self._pool, kind_language(kind), limits, kind_preload(kind))
        # The order of the shelf is that of their last use.
        self._held[kind] = held
        if self._home != kind:
            await self._bring_workspace(held, is_fresh=is_fresh)
            self._home = kind
        return held

    async def drop(self, held: SessionSandbox) -> None:
        """Gives up a sandbox; the workspace is lost if it was there."""
        for kind, other in tuple(self._held.items()):
            if other is held:
                del self._held[kind]
                self._note_loss(kind)
        await held.close()

    async def close(self) -> None:
        """Gives up all of them."""
        while self._held:
            _, held = self._held.popitem()
            await held.close()
        self._home = None

    async def _bring_workspace(self, held: SessionSandbox, *, is_fresh: bool) -> None:
        if self._home is None:
            if not is_fresh:
                await held.workspace.wipe()
            return
        home = self._held[self._home]
        try:
            archive = await home.workspace.export()
        except RunnerLost:
            await self.drop(home)
            await self._bring_workspace(held, is_fresh=is_fresh)
            return
        except RefusedCall as refused:
            raise _workspace_not_moved(refused) from refused
        try:
            await held.workspace.fill(archive)
        except RefusedCall as refused:
            raise _workspace_not_moved(refused) from refused

    async def _make_room(self) -> None:
        others = [kind for kind in self._held if kind != self._home]
        if len(self._held) >= MAX_SANDBOXES:
            await self._held.pop(others[0]).close()

    async def _drop_the_lost(self) -> None:
        for held in tuple(self._held.values()):
            if not held.is_usable:
                await self.drop(held)

    def _note_loss(self, kind: SandboxKind) -> None:
        if self._home == kind:
            self._home = None
            self.workspace = "lost"


def _workspace_not_moved(refused: RefusedCall) -> RefusedCall:
    return RefusedCall(
        refused.status,
        refused.code,
        f"the workspace cannot be brought to this language's sandbox: {refused.message}",
        hint="delete what is large in it; it is where it was",
    )

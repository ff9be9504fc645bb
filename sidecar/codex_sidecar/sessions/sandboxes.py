"""The sandboxes of one session: at most one of each kind; one of them holds the workspace."""

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

MAX_SANDBOXES: Final = 3
FIXED_LIMITS: Final = ("memory_mb", "cpus", "pids", "workspace_mb")


class SandboxPool(Protocol):
    """The pool, as far as sessions need it."""

    def lease(
        self, language: Language, limits: EnforcedLimits, preload: Preload = "plain"
    ) -> AbstractAsyncContextManager[Container]:
        """Lease a started sandbox in which nothing has run."""
        ...


@dataclass(slots=True)
class SessionSandbox:
    """A leased container, the limits that it enforces, and its workspace."""

    container: Container
    limits: EnforcedLimits
    facts: SandboxFacts
    workspace: Workspace
    _lease: AsyncExitStack

    @property
    def is_usable(self) -> bool:
        """Whether a snippet can run in it."""
        return self.container.is_alive and self.workspace.is_usable

    async def close(self) -> None:
        """Give the lease back; what runs in it is killed."""
        await self._lease.aclose()


async def lease_sandbox(
    pool: SandboxPool, language: Language, limits: EnforcedLimits, preload: Preload
) -> SessionSandbox:
    """Lease a sandbox until it is closed."""
    async with AsyncExitStack() as lease:
        container = await lease.enter_async_context(pool.lease(language, limits, preload))
        enforced_limits, facts = await container.enforced_limits()
        return SessionSandbox(
            container, enforced_limits, facts, Workspace(container), lease.pop_all()
        )


def merge_limits(requested: Limits, defaults: Limits) -> Limits:
    """Return a snippet's limits, with the session's `defaults` where it names none."""
    return defaults.model_copy(update=requested.model_dump(exclude_none=True))


def apply_fixed_limits(
    requested: Limits, resolved: EnforcedLimits, enforced_limits: EnforcedLimits
) -> EnforcedLimits:
    """Return the limits of a snippet in a sandbox that enforces `enforced_limits` already.

    Time and output come from `resolved`, as they can differ for each snippet; raises `BadRequest`
    for a limit that would need another sandbox.
    """
    for name in FIXED_LIMITS:
        value, enforced = getattr(requested, name), getattr(enforced_limits, name)
        if value is not None and round(value, 3) != enforced:
            raise BadRequest(
                f"limits.{name} {value:g}: this session's sandbox was started with {enforced:g}",
                field=f"limits.{name}",
                hint="name it when the session is opened, or open another session",
            )
    return enforced_limits.model_copy(
        update={"timeout_s": resolved.timeout_s, "output_bytes": resolved.output_bytes}
    )


class SessionSandboxes:
    """Leases sandboxes when they are first needed, and moves the workspace between them."""

    def __init__(self, pool: SandboxPool) -> None:
        self._pool = pool
        self._by_kind: dict[SandboxKind, SessionSandbox] = {}
        self._workspace_kind: SandboxKind | None = None
        self.workspace: Literal["new", "kept", "lost"] = "new"

    def limits(self, kind: SandboxKind) -> EnforcedLimits | None:
        """Return what the sandbox of this kind enforces; None where there is none."""
        sandbox = self._by_kind.get(kind)
        return sandbox.limits if sandbox and sandbox.is_usable else None

    async def get_workspace_sandbox(self) -> SessionSandbox | None:
        """Return the sandbox with the workspace; None before the first."""
        await self._drop_unusable()
        return self._by_kind[self._workspace_kind] if self._workspace_kind else None

    async def acquire(self, kind: SandboxKind, limits: EnforcedLimits) -> SessionSandbox:
        """Return a sandbox of this kind, with the workspace in it.

        Raises `RefusedCall` where the workspace cannot be moved there; it then stays where it is.
        """
        await self._drop_unusable()
        sandbox = self._by_kind.pop(kind, None)
        is_new = sandbox is None
        if sandbox is None:
            await self._make_room()
            sandbox = await lease_sandbox(
                self._pool, kind_language(kind), limits, kind_preload(kind)
            )
        # The dict is in the order of last use.
        self._by_kind[kind] = sandbox
        if self._workspace_kind != kind:
            await self._move_workspace(sandbox, is_new=is_new)
            self._workspace_kind = kind
        return sandbox

    async def drop(self, sandbox: SessionSandbox) -> None:
        """Give up a sandbox; the workspace is lost if it was there."""
        for kind, other in tuple(self._by_kind.items()):
            if other is sandbox:
                del self._by_kind[kind]
                self._record_loss(kind)
        await sandbox.close()

    async def close(self) -> None:
        """Give up all sandboxes."""
        while self._by_kind:
            _, sandbox = self._by_kind.popitem()
            await sandbox.close()
        self._workspace_kind = None

    async def _move_workspace(self, sandbox: SessionSandbox, *, is_new: bool) -> None:
        if self._workspace_kind is None:
            if not is_new:
                await sandbox.workspace.wipe()
            return
        source = self._by_kind[self._workspace_kind]
        try:
            archive = await source.workspace.export()
        except RunnerLost:
            await self.drop(source)
            await self._move_workspace(sandbox, is_new=is_new)
            return
        except RefusedCall as refused:
            raise _workspace_not_moved(refused) from refused
        try:
            await sandbox.workspace.replace(archive)
        except RefusedCall as refused:
            raise _workspace_not_moved(refused) from refused

    async def _make_room(self) -> None:
        others = [kind for kind in self._by_kind if kind != self._workspace_kind]
        if len(self._by_kind) >= MAX_SANDBOXES:
            await self._by_kind.pop(others[0]).close()

    async def _drop_unusable(self) -> None:
        for sandbox in tuple(self._by_kind.values()):
            if not sandbox.is_usable:
                await self.drop(sandbox)

    def _record_loss(self, kind: SandboxKind) -> None:
        if self._workspace_kind == kind:
            self._workspace_kind = None
            self.workspace = "lost"


def _workspace_not_moved(refused: RefusedCall) -> RefusedCall:
    return RefusedCall(
        refused.status,
        refused.code,
        f"the workspace cannot be brought to this language's sandbox: {refused.message}",
        hint="delete what is large in it; it is where it was",
    )

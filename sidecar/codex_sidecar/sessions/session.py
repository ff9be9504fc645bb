"""A session: one caller's workspace and the sandboxes that are leased for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, TypeVar

from codex_sidecar import metrics
from codex_sidecar.engine.limits import Machine
from codex_sidecar.errors import RefusedCall, SessionBusy, SessionNotFound
from codex_sidecar.execution.fair_queue import FairQueue
from codex_sidecar.runner.output import Listener
from codex_sidecar.runner.workspace import FilePiece, Workspace
from codex_sidecar.sessions.kernel import Kernel
from codex_sidecar.sessions.sandboxes import SandboxPool, SessionSandbox, SessionSandboxes
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.workspace import SessionRequest, WorkspaceFile

MAX_WAITING: Final = 4
MAX_LIFETIME_S: Final = 3600.0

Value = TypeVar("Value")


class CallQueue:
    """Serves calls in order, one at a time; a bounded number waits."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._inside = 0

    @property
    def is_empty(self) -> bool:
        """Whether no call is served or waits."""
        return self._inside == 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold the session; raises `SessionBusy` when as many calls as may wait are waiting."""
        if self._inside > MAX_WAITING:
            raise SessionBusy(MAX_WAITING)
        self._inside += 1
        try:
            async with self._lock:
                yield
        finally:
            self._inside -= 1


@dataclass(frozen=True, slots=True)
class SessionDependencies:
    """What sessions run on."""

    machine: Machine
    pool: SandboxPool
    queue: FairQueue


class Session:
    """Serves one call at a time; raises `SessionNotFound` once closed, `SessionBusy` when full."""

    def __init__(
        self, session_id: str, request: SessionRequest, dependencies: SessionDependencies
    ) -> None:
        self.id = session_id
        self._request, self._dependencies = request, dependencies
        self._sandboxes = SessionSandboxes(dependencies.pool)
        self._kernel = Kernel(
            session_id, request.limits, self._sandboxes, dependencies.machine, dependencies.queue
        )
        self._calls = CallQueue()
        self._opened = self._last_call = time.monotonic()
        self._is_closed = False

    @property
    def remaining_s(self) -> float:
        """Seconds until it expires, without another call."""
        end = min(self._last_call + self._request.ttl_s, self._opened + MAX_LIFETIME_S)
        return max(0.0, end - time.monotonic())

    @property
    def expires_at(self) -> datetime:
        """When it expires, without another call."""
        return datetime.now(UTC) + timedelta(seconds=self.remaining_s)

    @property
    def is_expired(self) -> bool:
        """Whether it has expired; a call in progress keeps it open."""
        return self._calls.is_empty and self.remaining_s <= 0

    async def run(
        self, snippet: Snippet, *, caller: str = "", listener: Listener | None = None
    ) -> Execution:
        """Run the next snippet. Cancelling ends it; the workspace stays where possible."""
        started_at = time.perf_counter()
        async with self._call(), self._dependencies.queue.slot(caller):
            queued_ms = (time.perf_counter() - started_at) * 1000
            execution = await self._shield(self._kernel.run(snippet, listener))
        total_ms = (time.perf_counter() - started_at) * 1000
        timings = execution.timings_ms.model_copy(update={"queue": queued_ms, "total": total_ms})
        finished = execution.model_copy(update={"timings_ms": timings})
        metrics.record_execution(finished)
        return finished

    def keep_alive(self) -> None:
        """Restart the time to live without doing anything."""
        self._last_call = time.monotonic()

    async def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does, to the running snippet; nothing where none runs."""
        await self._kernel.interrupt()

    async def files(self) -> tuple[WorkspaceFile, ...]:
        """List the regular files in the workspace."""
        async with self._call():
            sandbox = await self._sandboxes.get_workspace_sandbox()
            if sandbox is None:
                return ()
            return await self._shield(sandbox.workspace.files())

    async def read(self, path: str, offset: int = 0) -> FilePiece:
        """Read a piece of a file."""
        async with self._call():
            sandbox = await self._require_workspace(path)
            return await self._shield(sandbox.workspace.read(path, offset))

    async def write(self, path: str, content: bytes) -> None:
        """Create or replace a file."""
        async with self._call():
            await self._shield((await self._ensure_workspace()).write(path, content))

    async def append(self, part: str, path: str, content: bytes, offset: int) -> None:
        """Add a piece to what will be the file `path`."""
        async with self._call():
            workspace = await self._ensure_workspace()
            await self._shield(workspace.append(part, path, content, offset))

    async def move(self, part: str, path: str) -> None:
        """Put a file that is whole into its place."""
        async with self._call():
            sandbox = await self._require_workspace(path)
            await self._shield(sandbox.workspace.move(part, path))

    async def delete(self, path: str) -> None:
        """Remove a file."""
        async with self._call():
            sandbox = await self._require_workspace(path)
            await self._shield(sandbox.workspace.delete(path))

    async def aclose(self) -> None:
        """End what runs in it, and give its sandboxes back."""
        self._is_closed = True
        try:
            await self._kernel.stop()
        finally:
            if self._calls.is_empty:
                await self._sandboxes.close()

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        async with self._calls.slot():
            if self._is_closed:
                raise SessionNotFound(self.id)
            try:
                yield
            finally:
                await self._finish_call()

    async def _finish_call(self) -> None:
        self._last_call = time.monotonic()
        # A close during this call leaves the sandboxes to it.
        if self._is_closed:
            await self._sandboxes.close()

    async def _shield(self, work: Coroutine[object, object, Value]) -> Value:
        # INVARIANT: an exchange with a runner is completed before the next begins, or the next one
        # would read the answer to this one.
        working = asyncio.create_task(work)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            try:
                await self._kernel.cancel()
            finally:
                await asyncio.wait({working})
                working.exception()
            raise

    async def _require_workspace(self, path: str) -> SessionSandbox:
        sandbox = await self._sandboxes.get_workspace_sandbox()
        if sandbox is None:
            raise RefusedCall(HTTPStatus.NOT_FOUND, "no_file", f"{path}: the workspace is empty")
        return sandbox

    async def _ensure_workspace(self) -> Workspace:
        sandbox = await self._sandboxes.get_workspace_sandbox()
        if sandbox is None:
            sandbox = await self._shield(self._create_workspace())
        return sandbox.workspace

    async def _create_workspace(self) -> SessionSandbox:
        """Acquire the sandbox of a session whose first call writes a file."""
        limits = await self._dependencies.machine.resolve_limits(self._request.limits, "python")
        return await self._sandboxes.acquire("python", limits)

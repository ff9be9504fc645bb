"""Runs the snippets of one session, one after the other, in its sandboxes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final, Literal

from codex_sidecar.engine.limits import Machine
from codex_sidecar.errors import RunnerLost, ServiceStopping, SessionNotFound
from codex_sidecar.execution.dispatcher import select_image_language
from codex_sidecar.execution.fair_queue import FairQueue
from codex_sidecar.kinds import (
    SandboxKind,
    detect_preload,
    kind_language,
    select_kind,
)
from codex_sidecar.runner.exchange import Exchange
from codex_sidecar.runner.files import pack_files
from codex_sidecar.runner.outcome import build_execution
from codex_sidecar.runner.output import Listener
from codex_sidecar.sessions.sandboxes import (
    SessionSandbox,
    SessionSandboxes,
    apply_fixed_limits,
    merge_limits,
)
from mini_agent_protocol.execution import EnforcedLimits, Execution, SessionFacts
from mini_agent_protocol.snippet import Limits, Snippet

INTERRUPT_TIMEOUT_S: Final = 0.7


class Kernel:
    """Runs one snippet at a time; the caller of `run` sees to that."""

    def __init__(
        self,
        session_id: str,
        limits: Limits,
        sandboxes: SessionSandboxes,
        machine: Machine,
        queue: FairQueue,
    ) -> None:
        self._session_id, self._limits = session_id, limits
        self._sandboxes, self._machine, self._queue = sandboxes, machine, queue
        self._exchange: Exchange | None = None
        self._sandbox: SessionSandbox | None = None
        self._variables_sandbox: SessionSandbox | None = None
        self._variables_kind: SandboxKind | None = None
        self._is_stopped = self._is_cancelled = False

    async def run(self, snippet: Snippet, listener: Listener | None) -> Execution:
        """Run the next snippet. Do not cancel it: `cancel` ends it."""
        self._is_cancelled = False
        execution = await self._attempt(snippet, listener) or await self._attempt(snippet, listener)
        if execution is None:
            raise RunnerLost("the session's sandbox was lost twice before the snippet began")
        return execution

    async def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does, to the running snippet; nothing where none runs."""
        if self._exchange is not None:
            with contextlib.suppress(RunnerLost, OSError):
                await self._exchange.interrupt()

    async def cancel(self) -> None:
        """End the running snippet, and its sandbox only where it ignores the interrupt."""
        self._is_cancelled = True
        if self._exchange is not None and self._sandbox is not None:
            await self._end(self._sandbox, self._exchange)

    async def stop(self) -> None:
        """Kill the running snippet at once; no other starts after it."""
        self._is_stopped = True
        if self._sandbox is not None:
            await self._sandbox.container.kill()

    async def _attempt(self, snippet: Snippet, listener: Listener | None) -> Execution | None:
        """Run the snippet; None when the sandbox was lost before the program started."""
        started_at = time.perf_counter()
        kind = self._select_kind(snippet)
        limits = await self._resolve_limits(snippet, kind)
        files = pack_files(snippet.files, room_mb=limits.workspace_mb)
        sandbox = await self._sandboxes.acquire(kind, limits)
        self._require_active()
        if snippet.stateful:
            self._variables_kind = kind
        start_ms = (time.perf_counter() - started_at) * 1000
        execution = await self._run_in(sandbox, limits, snippet, files, listener)
        if execution is None:
            return None
        timings = execution.timings_ms.model_copy(update={"start": start_ms})
        return execution.model_copy(update={"timings_ms": timings})

    def _select_kind(self, snippet: Snippet) -> SandboxKind:
        if snippet.stateful and self._variables_kind is not None:
            return self._variables_kind
        kind = select_kind(select_image_language(snippet), detect_preload(snippet))
        # A sandbox with more imported than needed is used where the session has one.
        return "data" if kind == "python" and self._sandboxes.limits("data") else kind

    async def _resolve_limits(self, snippet: Snippet, kind: SandboxKind) -> EnforcedLimits:
        requested = merge_limits(snippet.limits, self._limits)
        resolved = await self._machine.resolve_limits(requested, kind_language(kind))
        enforced_limits = self._sandboxes.limits(kind)
        return (
            apply_fixed_limits(snippet.limits, resolved, enforced_limits)
            if enforced_limits
            else resolved
        )

    async def _run_in(
        self,
        sandbox: SessionSandbox,
        limits: EnforcedLimits,
        snippet: Snippet,
        files: bytes,
        listener: Listener | None,
    ) -> Execution | None:
        exchange = Exchange(sandbox.container, limits, listener=listener)
        self._exchange, self._sandbox = exchange, sandbox
        try:
            await exchange.run(snippet, files, lambda: self._end(sandbox, exchange))
            return await self._build_execution(sandbox, limits, snippet, exchange)
        finally:
            self._exchange = self._sandbox = None
            if not exchange.is_complete:
                await self._sandboxes.drop(sandbox)

    async def _build_execution(
        self, sandbox: SessionSandbox, limits: EnforcedLimits, snippet: Snippet, exchange: Exchange
    ) -> Execution | None:
        if exchange.cut == "lost":
            self._require_active()
            if self._queue.is_closed:
                raise ServiceStopping
        oom_killed = exchange.result is None and await sandbox.container.oom_killed()
        if exchange.cut == "lost" and not exchange.has_started:
            return None
        execution = build_execution(snippet, exchange, limits, sandbox.facts, oom_killed=oom_killed)
        return execution.model_copy(update={"session": self._facts(sandbox, exchange, snippet)})

    def _require_active(self) -> None:
        if self._is_stopped or self._is_cancelled:
            raise SessionNotFound(self._session_id)

    async def _end(self, sandbox: SessionSandbox, exchange: Exchange) -> None:
        with contextlib.suppress(TimeoutError, RunnerLost, OSError):
            await exchange.interrupt()
            async with asyncio.timeout(INTERRUPT_TIMEOUT_S):
                await exchange.finished.wait()
        if not exchange.is_complete:
            await sandbox.container.kill()

    def _facts(self, sandbox: SessionSandbox, exchange: Exchange, snippet: Snippet) -> SessionFacts:
        workspace, self._sandboxes.workspace = self._sandboxes.workspace, "kept"
        return SessionFacts(
            id=self._session_id,
            workspace=workspace,
            python=self._describe_variables(sandbox, exchange, snippet),
        )

    def _describe_variables(
        self, sandbox: SessionSandbox, exchange: Exchange, snippet: Snippet
    ) -> Literal["kept", "lost", "new"]:
        if not snippet.stateful or exchange.result is None:
            return "new"
        previous, self._variables_sandbox = self._variables_sandbox, sandbox
        was_elsewhere = previous is not None and previous is not sandbox
        return "lost" if was_elsewhere else exchange.result.python

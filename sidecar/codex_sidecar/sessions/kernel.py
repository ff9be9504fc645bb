"""Runs snippet after snippet in the sandboxes of one session."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Final, Literal

from codex_sidecar.engine.limits import Machine
from codex_sidecar.errors import RunnerLost, ServiceStopping, SessionNotFound
from codex_sidecar.execution.dispatcher import PROGRAM_NAMES, select_image_language
from codex_sidecar.execution.fair_queue import FairQueue
from codex_sidecar.kinds import (
    SandboxKind,
    detect_preload,
    kind_language,
    select_kind,
)
from codex_sidecar.runner.exchange import RUNNER_FIRST, Exchange
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
    """One snippet at a time; whoever calls `run` sees to that."""

    def __init__(
        self,
        session_id: str,
        limits: Limits,
        shelf: SessionSandboxes,
        machine: Machine,
        turns: FairQueue,
    ) -> None:
        self._session_id, self._limits = session_id, limits
        self._shelf, self._machine, self._turns = shelf, machine, turns
        self._talk: Exchange | None = None
        self._at: SessionSandbox | None = None
        self._variables_at: SessionSandbox | None = None
        self._variables_kind: SandboxKind | None = None
        self._is_stopped = self._is_unwanted = False

    async def run(self, snippet: Snippet, listener: Listener | None) -> Execution:
        """The next snippet. It is not to be cancelled: `hang_up` ends it."""
        self._is_unwanted = False
        execution = await self._attempt(snippet, listener) or await self._attempt(snippet, listener)
        if execution is None:
            raise RunnerLost("the session's sandbox was lost twice before the snippet began")
        return execution

    async def interrupt(self) -> None:
        """What Ctrl-C does to the snippet that is running; nothing where none is."""
        if self._talk is not None:
            with contextlib.suppress(RunnerLost, OSError):
                await self._talk.interrupt()

    async def hang_up(self) -> None:
        """Ends the snippet that is running, with its sandbox only where it does not obey."""
        self._is_unwanted = True
        if self._talk is not None and self._at is not None:
            await self._end(self._at, self._talk)

    async def stop(self) -> None:
        """Ends the snippet that is running, at once; none is begun any more."""
        self._is_stopped = True
        if self._at is not None:
            await self._at.container.kill()

    async def _attempt(self, snippet: Snippet, listener: Listener | None) -> Execution | None:
        """The execution; None when the sandbox turned out to be gone before the program ran."""
        began = time.perf_counter()
        kind = self._kind_for(snippet)
        limits = await self._limits_of(snippet, kind)
        files = pack_files(
            snippet.files, program=PROGRAM_NAMES[snippet.language], room_mb=limits.workspace_mb
        )
        held = await self._shelf.at(kind, limits)
        self._require_that_it_is_wanted()
        if snippet.stateful:
            self._variables_kind = kind
        start_ms = (time.perf_counter() - began) * 1000
        execution = await self._talk_in(held, limits, snippet, files, listener)
        if execution is None:
            return None
        timings = execution.timings_ms.model_copy(update={"start": start_ms})
        return execution.model_copy(update={"timings_ms": timings})

    def _kind_for(self, snippet: Snippet) -> SandboxKind:
        if snippet.stateful and self._variables_kind is not None:
            return self._variables_kind
        kind = select_kind(select_image_language(snippet), detect_preload(snippet))
        # What has more imported than is asked for, and is there already, will do.
        return "data" if kind == "python" and self._shelf.limits("data") else kind

    async def _limits_of(self, snippet: Snippet, kind: SandboxKind) -> EnforcedLimits:
        asked = merge_limits(snippet.limits, self._limits)
        settled = await self._machine.settle(asked, kind_language(kind))
        held = self._shelf.limits(kind)
        return apply_fixed_limits(snippet.limits, settled, held) if held else settled

    async def _talk_in(
        self,
        held: SessionSandbox,
        limits: EnforcedLimits,
        snippet: Snippet,
        files: bytes,
        listener: Listener | None,
    ) -> Execution | None:
        talk = Exchange(held.container, limits, RUNNER_FIRST, listener)
        self._talk, self._at = talk, held
        try:
            await talk.hold(snippet, files, lambda: self._end(held, talk))
            return await self._told(held, limits, snippet, talk)
        finally:
            self._talk = self._at = None
            if not talk.is_whole:
                await self._shelf.drop(held)

    async def _told(
        self, held: SessionSandbox, limits: EnforcedLimits, snippet: Snippet, talk: Exchange
    ) -> Execution | None:
        if talk.cut == "lost":
            self._require_that_it_is_wanted()
            if self._turns.is_closed:
                raise ServiceStopping
        oom_killed = talk.result is None and await held.container.oom_killed()
        if talk.cut == "lost" and not talk.has_run:
            return None
        execution = build_execution(snippet, talk, limits, held.facts, oom_killed=oom_killed)
        return execution.model_copy(update={"session": self._facts(held, talk, snippet)})

    def _require_that_it_is_wanted(self) -> None:
        if self._is_stopped or self._is_unwanted:
            raise SessionNotFound(self._session_id)

    async def _end(self, held: SessionSandbox, talk: Exchange) -> None:
        with contextlib.suppress(TimeoutError, RunnerLost, OSError):
            await talk.interrupt()
            async with asyncio.timeout(INTERRUPT_TIMEOUT_S):
                await talk.over.wait()
        if not talk.is_whole:
            await held.container.kill()

    def _facts(self, held: SessionSandbox, talk: Exchange, snippet: Snippet) -> SessionFacts:
        workspace, self._shelf.workspace = self._shelf.workspace, "kept"
        return SessionFacts(
            id=self._session_id, workspace=workspace, python=self._python(held, talk, snippet)
        )

    def _python(
        self, held: SessionSandbox, talk: Exchange, snippet: Snippet
    ) -> Literal["kept", "lost", "new"]:
        if not snippet.stateful or talk.result is None:
            return "new"
        before, self._variables_at = self._variables_at, held
        was_elsewhere = before is not None and before is not held
        return "lost" if was_elsewhere else talk.result.python

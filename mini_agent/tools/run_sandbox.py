"""The sandbox of one run: a session that its first snippet opens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from mini_agent.errors import MiniAgentError, SandboxBusy, SessionOver
from mini_agent.sandbox.client import TellingSandbox
from mini_agent_protocol.execution import Execution, Output
from mini_agent_protocol.snippet import Snippet

FAREWELL_S: Final = 5.0
# A process that is gone without a word holds its sandbox no longer than this.
TTL_S: Final = 30.0
KEEP_EVERY_S: Final = 8.0
# So long a snippet waits for room, beside the sidecar's own queue.
BUSY_S: Final = 120.0

Run = Callable[[TellingSandbox], Awaitable[Execution]]


class Session(TellingSandbox, Protocol):
    """A sandbox that is kept until it is closed, or nobody has asked for it for a while."""

    async def keep(self) -> None:
        """Asks for it."""
        ...

    async def aclose(self) -> None:
        """Closes it."""
        ...


class Sidecar(TellingSandbox, Protocol):
    """A sandbox that also has sessions."""

    async def open_session(self, *, ttl_s: float) -> Session:
        """A new session; `SandboxUnavailable` where there is no room for one."""
        ...


class RunSandbox:
    """Runs a run's snippets in one session, and where there is none, each in a sandbox of its own.

    `SessionFacts` of an execution are None for a snippet that found no session, and say "lost" for
    one that found another session than the snippet before it.
    """

    def __init__(self, sidecar: Sidecar) -> None:
        self._sidecar = sidecar
        self._session: Session | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def run(self, snippet: Snippet) -> Execution:
        """Runs the run's next snippet."""
        return await self._run(lambda sandbox: sandbox.run(snippet))

    async def run_telling(self, snippet: Snippet, tell: Callable[[Output], None]) -> Execution:
        """The same; `tell` gets each piece of its output as it comes."""
        return await self._run(lambda sandbox: sandbox.run_telling(snippet, tell))

    async def aclose(self) -> None:
        """Closes the session, if one was ever opened."""
        self._stop_keeping()
        if self._session is not None:
            await asyncio.shield(_closed(self._session))

    async def _run(self, run: Run) -> Execution:
        until = asyncio.get_running_loop().time() + BUSY_S
        while True:
            try:
                return await self._once(run)
            except SandboxBusy as busy:
                # Nothing was begun, and to wait for room is not the model's affair.
                if asyncio.get_running_loop().time() + busy.retry_after_s > until:
                    raise
                await asyncio.sleep(busy.retry_after_s)

    async def _once(self, run: Run) -> Execution:
        session = await self._open_session()
        if session is None:
            return await run(self._sidecar)
        try:
            return await run(session)
        except SessionOver:
            # Nobody called for so long that it has expired: the model took its time.
            self._session = None
            self._stop_keeping()
        return _without_files(await run(await self._open_session() or self._sidecar))

    async def _open_session(self) -> Session | None:
        if self._session is None:
            # Whatever is wrong, and is not only a lack of room, the single run will say.
            with contextlib.suppress(MiniAgentError):
                self._session = await self._sidecar.open_session(ttl_s=TTL_S)
                self._keeping = asyncio.create_task(_kept(self._session))
        return self._session

    def _stop_keeping(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            self._keeping = None


async def _kept(session: Session) -> None:
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        # Where it is over, its next call will say so.
        with contextlib.suppress(MiniAgentError):
            await session.keep()


async def _closed(session: Session) -> None:
    # A sidecar that does not hear this ends the session when its time is up.
    with contextlib.suppress(MiniAgentError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await session.aclose()


def _without_files(execution: Execution) -> Execution:
    if execution.session is None:
        return execution
    lost = execution.session.model_copy(update={"workspace": "lost"})
    return execution.model_copy(update={"session": lost})

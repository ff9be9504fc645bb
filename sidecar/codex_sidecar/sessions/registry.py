"""The sessions that are open: who they are, how many there may be, and when they end."""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
from typing import Final

from codex_sidecar.errors import Busy, ServiceStopping, SessionNotFound
from codex_sidecar.sessions.session import Session, SessionDependencies
from mini_agent_protocol.errors import MiniAgentError
from mini_agent_protocol.workspace import SessionRequest

ID_BYTES: Final = 24
INTERVAL_S: Final = 0.5
MAX_RETRY_AFTER_S: Final = 60

log = logging.getLogger(__name__)


class SessionRegistry:
    """Whoever knows a session's id may use it, and ids cannot be guessed."""

    def __init__(self, means: SessionDependencies, most: int) -> None:
        self._means, self._most = means, most
        self._open: dict[str, Session] = {}

    @property
    def count(self) -> int:
        """How many are open."""
        return len(self._open)

    async def open(self, asked: SessionRequest) -> Session:
        """A new session, which has no sandbox yet; `Busy` when as many are open as may be."""
        if self._means.turns.is_closed:
            raise ServiceStopping
        await self._means.machine.settle(asked.limits, "python")
        if len(self._open) >= self._most:
            raise self._full()
        session = Session(secrets.token_urlsafe(ID_BYTES), asked, self._means)
        self._open[session.id] = session
        return session

    def find(self, session_id: str) -> Session:
        """The session with this id; `SessionNotFound` where there is none."""
        session = self._open.get(session_id)
        if session is None or session.is_over:
            raise SessionNotFound(session_id)
        return session

    async def close(self, session_id: str) -> None:
        """Ends a session and whatever runs in it; `SessionNotFound` where there is none."""
        session = self._open.pop(session_id, None)
        if session is None:
            raise SessionNotFound(session_id)
        await session.aclose()

    async def run(self) -> None:
        """Ends sessions as they expire, without end."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self._close_all([each for each in self._open.values() if each.is_over])

    async def aclose(self) -> None:
        """Ends all of them."""
        await self._close_all(list(self._open.values()))

    async def _close_all(self, sessions: list[Session]) -> None:
        for session in sessions:
            self._open.pop(session.id, None)
            try:
                await session.aclose()
            except MiniAgentError as failed:
                log.warning("session not closed", extra={"why": str(failed)})

    def _full(self) -> Busy:
        soonest = min((each.left_s for each in self._open.values()), default=0.0)
        seconds = min(MAX_RETRY_AFTER_S, max(1, math.ceil(soonest)))
        return Busy(f"all {self._most} sessions are open", retry_after_s=seconds)

"""The registry of open sessions: their ids, their number, and their expiry."""

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
    """Finds sessions by id; an id cannot be guessed and is all that a caller needs."""

    def __init__(self, dependencies: SessionDependencies, max_open: int) -> None:
        self._dependencies, self._max_open = dependencies, max_open
        self._open: dict[str, Session] = {}

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self._open)

    async def open(self, request: SessionRequest) -> Session:
        """Open a session, without a sandbox yet; raises `Busy` when too many are open."""
        if self._dependencies.queue.is_closed:
            raise ServiceStopping
        await self._dependencies.machine.resolve_limits(request.limits, "python")
        if len(self._open) >= self._max_open:
            raise self._build_busy_error()
        session = Session(secrets.token_urlsafe(ID_BYTES), request, self._dependencies)
        self._open[session.id] = session
        return session

    def find(self, session_id: str) -> Session:
        """Return the session with this id; raises `SessionNotFound` where there is none."""
        session = self._open.get(session_id)
        if session is None or session.is_expired:
            raise SessionNotFound(session_id)
        return session

    async def close(self, session_id: str) -> None:
        """End a session and what runs in it; raises `SessionNotFound` where there is none."""
        session = self._open.pop(session_id, None)
        if session is None:
            raise SessionNotFound(session_id)
        await session.aclose()

    async def run(self) -> None:
        """Close expired sessions, without end, every INTERVAL_S."""
        while True:
            await asyncio.sleep(INTERVAL_S)
            await self._close_all(
                [session for session in self._open.values() if session.is_expired]
            )

    async def aclose(self) -> None:
        """Close all sessions."""
        await self._close_all(list(self._open.values()))

    async def _close_all(self, sessions: list[Session]) -> None:
        for session in sessions:
            self._open.pop(session.id, None)
            try:
                await session.aclose()
            except MiniAgentError as failed:
                log.warning("session not closed", extra={"why": str(failed)})

    def _build_busy_error(self) -> Busy:
        soonest_s = min((session.remaining_s for session in self._open.values()), default=0.0)
        seconds = min(MAX_RETRY_AFTER_S, max(1, math.ceil(soonest_s)))
        return Busy(f"all {self._max_open} sessions are open", retry_after_s=seconds)

"""The sandbox sessions of MCP clients: one of each client's own, and those it opened beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from mini_agent.errors import MiniAgentError
from mini_agent.sandbox import SidecarClient, SidecarSession

NEW: Final = "new"
FAREWELL_S: Final = 5.0


@dataclass
class _Client:
    opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    own: SidecarSession | None = None
    opened: list[SidecarSession] = field(default_factory=list)


class Sessions:
    """A client is known by a name, which it keeps for its whole MCP session."""

    def __init__(self, sidecar: Callable[[], SidecarClient]) -> None:
        self._sidecar = sidecar
        self._clients: dict[str, _Client] = {}

    @property
    def sidecar(self) -> SidecarClient:
        """The sidecar; `MiniAgentError` when none is configured."""
        return self._sidecar()

    async def own(self, client: str) -> SidecarSession:
        """The client's own session, opened when it is first needed."""
        kept = self._clients.setdefault(client, _Client())
        async with kept.opening:
            if kept.own is None:
                kept.own = await self._opened(kept)
            return kept.own

    async def another(self, client: str) -> SidecarSession:
        """A new session beside the client's own."""
        return await self._opened(self._clients.setdefault(client, _Client()))

    def known(self, session_id: str) -> SidecarSession:
        """The session with this id, whoever opened it: ids cannot be guessed."""
        return self.sidecar.session(session_id)

    def lost(self, client: str, session: SidecarSession) -> None:
        """The client's own session is over: the next call opens another."""
        kept = self._clients.get(client)
        if kept is not None and kept.own is session:
            kept.own = None

    async def forget(self, client: str) -> None:
        """The client is gone: its sessions end."""
        kept = self._clients.pop(client, None)
        if kept is not None:
            await _close(kept.opened)

    async def aclose(self) -> None:
        """Ends the sessions of all clients."""
        clients, self._clients = self._clients, {}
        await _close(session for kept in clients.values() for session in kept.opened)

    async def _opened(self, kept: _Client) -> SidecarSession:
        session = await self.sidecar.open_session()
        kept.opened.append(session)
        return session


async def _close(sessions: Iterable[SidecarSession]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FAREWELL_S), asyncio.TaskGroup() as closing:
            for session in sessions:
                closing.create_task(_closed(session))


# One that the sidecar cannot be told of ends by itself after a while.
async def _closed(session: SidecarSession) -> None:
    with contextlib.suppress(MiniAgentError):
        await session.aclose()

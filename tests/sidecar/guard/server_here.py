"""A guard in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from codex_sidecar.guard.policy import Gate, Owned
from codex_sidecar.guard.server import Server
from codex_sidecar.guard.settings import GuardSettings
from codex_sidecar.guard.upstream import Upstream

MOST = 3


@asynccontextmanager
async def serving(settings: GuardSettings, place: Path) -> AsyncIterator[None]:
    """Serves at the place for as long as the block lasts."""
    upstream = Upstream(settings.docker_socket)
    owned = Owned(upstream, settings.instance, MOST)
    gate = Gate(settings.docker_socket, settings.terms(), upstream, owned)
    async with Server(gate).listening(place):
        yield
    await upstream.aclose()

"""A guard in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from codex_sidecar.guard.policy import OwnedContainers, Policy
from codex_sidecar.guard.server import GuardServer
from codex_sidecar.guard.settings import GuardSettings
from codex_sidecar.guard.upstream import UpstreamEngine

MOST = 3


@asynccontextmanager
async def serving(settings: GuardSettings, place: Path) -> AsyncIterator[None]:
    """Serves at the place for as long as the block lasts."""
    upstream = UpstreamEngine(settings.docker_socket)
    owned = OwnedContainers(upstream, settings.instance, MOST)
    gate = Policy(settings.docker_socket, settings.template(), upstream, owned)
    async with GuardServer(gate).listen(place):
        yield
    await upstream.aclose()

"""Checks the stocks once a second: evicts unfit members, and bounds the stocks by free memory."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final, Protocol

from codex_sidecar.engine.confinement import ImageCatalog
from codex_sidecar.engine.limits import MachineMemory, read_memory
from codex_sidecar.kinds import SandboxKind, kind_language
from codex_sidecar.pool.fleet import Fleet
from codex_sidecar.pool.stock import Stock
from codex_sidecar.pool.warmer import Warmer
from codex_sidecar.runner.container import Container
from mini_agent_protocol.errors import MiniAgentError

INTERVAL_S: Final = 1.0
IMAGES_INTERVAL_S: Final = 5.0
MEMBER_MB: Final = 24
DATA_MEMBER_MB: Final = 72
# The share of the machine's memory that the stocks leave free.
RESERVED_FRACTION: Final = 0.1


class ImageSource(Protocol):
    """The engine, as far as it resolves tags."""

    async def image_id(self, image: str) -> str | None:
        """Return the id that a tag stands for; None where there is none."""
        ...


class Inventory:
    """Checks all stocks."""

    def __init__(
        self,
        images: ImageSource,
        catalog: ImageCatalog,
        fleet: Fleet,
        stocks: tuple[Stock[Container], ...],
        warmer: Warmer,
    ) -> None:
        self._images, self._catalog = images, catalog
        self._fleet, self._stocks, self._warmer = fleet, stocks, warmer
        self._images_due = 0.0

    async def run(self) -> None:
        """Check without end, every INTERVAL_S."""
        while True:
            # An unavailable engine is asked again the next time.
            with suppress(MiniAgentError):
                await self._refresh_image_ids()
            self.evict_unfit(read_memory())
            await asyncio.sleep(INTERVAL_S)

    def evict_unfit(self, memory: MachineMemory) -> None:
        """Set how far each stock may grow, and discard members that are not fit any more."""
        spare_mb = memory.available_mb - round(memory.total_mb * RESERVED_FRACTION)
        for stock in self._stocks:
            stock.spare = max(0, spare_mb) // _member_mb(stock.kind)
            for member in stock.evict():
                self._fleet.discard(member)
        self._warmer.wake()

    async def _refresh_image_ids(self) -> None:
        if time.monotonic() < self._images_due and all(stock.image_id for stock in self._stocks):
            return
        self._images_due = time.monotonic() + IMAGES_INTERVAL_S
        ids: dict[str, str] = {}
        for stock in self._stocks:
            image = self._catalog.image(kind_language(stock.kind))
            if image not in ids:
                ids[image] = await self._images.image_id(image) or ""
            stock.image_id = ids[image]


def _member_mb(kind: SandboxKind) -> int:
    return DATA_MEMBER_MB if kind == "data" else MEMBER_MB

"""Other people's sandboxes in the same rounds, where PEERS=1 asks for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.options import Options
from bench.row import Row


@asynccontextmanager
async def peer_rows(options: Options) -> AsyncIterator[list[Row]]:
    """Their rows."""
    del options
    yield []

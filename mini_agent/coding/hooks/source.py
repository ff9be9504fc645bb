"""Where hooks come from, and all of them asked at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from mini_agent.coding.hooks.decision import SILENT, Verdict, together
from mini_agent.coding.hooks.event import HookEvent


class Hooks(Protocol):
    """Anything that has a say in what happens."""

    async def verdict(self, event: HookEvent) -> Verdict:
        """What it says; it never raises."""
        ...


class AllHooks:
    """Several sources of hooks as one."""

    def __init__(self, sources: Sequence[Hooks]) -> None:
        self._sources = tuple(sources)

    async def verdict(self, event: HookEvent) -> Verdict:
        """What they come to together."""
        if not self._sources:
            return SILENT
        async with asyncio.TaskGroup() as asking:
            asked = [asking.create_task(source.verdict(event)) for source in self._sources]
        return together([each.result() for each in asked])

"""Imports of web and sandbox tools at first use, which keep the start of the prompt fast."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mini_agent.coding.tools.protocols import SearchResult
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker


@dataclass(frozen=True, slots=True)
class LazyPages:
    """A `PublicPageFetcher`, imported at the first page."""

    async def fetch(self, url: str) -> str:
        """Fetch a page."""
        from mini_agent.coding.tools.page_fetcher import PublicPageFetcher

        return await PublicPageFetcher().fetch(url)


@dataclass(frozen=True, slots=True)
class LazySearch:
    """A `SearxngEngine`, imported at the first search."""

    address: str

    async def search(self, query: str) -> Sequence[SearchResult]:
        """Return the results of the first page."""
        from mini_agent.coding.tools.searxng import SearxngEngine

        return await SearxngEngine(self.address).search(query)


def open_sandbox(settings: Settings) -> AbstractAsyncContextManager[Invoker | None]:
    """Open the tools that run programs in the configured sidecar; None where none is configured."""
    if not settings.sidecar_url:
        return nullcontext()
    from mini_agent.coding.sandbox_tools import open_sandbox_tools

    return open_sandbox_tools(settings)

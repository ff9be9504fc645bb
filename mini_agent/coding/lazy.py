"""What is imported where it is first needed: a prompt must not wait for the web and the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mini_agent.coding.tools.protocols import SearchResult
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker


@dataclass(frozen=True, slots=True)
class LazyPages:
    """`PublicPageFetcher`."""

    async def fetch(self, url: str) -> str:
        """What stands there."""
        from mini_agent.coding.tools.page_fetcher import PublicPageFetcher

        return await PublicPageFetcher().fetch(url)


@dataclass(frozen=True, slots=True)
class LazySearch:
    """`SearxngEngine`."""

    address: str

    async def search(self, query: str) -> Sequence[SearchResult]:
        """The results of the first page."""
        from mini_agent.coding.tools.searxng import SearxngEngine

        return await SearxngEngine(self.address).search(query)


def open_sandbox(settings: Settings) -> AbstractAsyncContextManager[Invoker | None]:
    """The tools that run programs in the sidecar that the environment names; None without one."""
    if not settings.sidecar_url:
        return nullcontext()
    from mini_agent.coding.sandbox_tools import open_sandbox_tools

    return open_sandbox_tools(settings)

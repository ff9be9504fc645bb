"""What is imported where it is first needed: a prompt must not wait for the web and the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mini_agent.coding.tools.protocols import Found
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker


@dataclass(frozen=True, slots=True)
class LatePages:
    """`PublicPages`."""

    async def page(self, url: str) -> str:
        """What stands there."""
        from mini_agent.coding.tools.web_fetch import PublicPages

        return await PublicPages().page(url)


@dataclass(frozen=True, slots=True)
class LateSearch:
    """`SearxSearch`."""

    address: str

    async def found(self, query: str) -> Sequence[Found]:
        """The results of the first page."""
        from mini_agent.coding.tools.web_search import SearxSearch

        return await SearxSearch(self.address).found(query)


def late_sandbox(settings: Settings) -> AbstractAsyncContextManager[Invoker | None]:
    """The tools that run programs in the sidecar that the environment names; None without one."""
    if not settings.sidecar_url:
        return nullcontext()
    from mini_agent.coding.sandbox_tools import sandbox_of

    return sandbox_of(settings)

"""What is imported where it is first needed: a prompt must not wait for the web and the sandbox."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mini_agent.coding.tools.seams import Found
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker


@dataclass(frozen=True, slots=True)
class LatePages:
    """`PublicPages`."""

    async def page(self, url: str) -> str:
        """What stands there."""
        pages = importlib.import_module("mini_agent.coding.tools.pages").PublicPages()
        text: str = await pages.page(url)
        return text


@dataclass(frozen=True, slots=True)
class LateSearch:
    """`SearxSearch`."""

    address: str

    async def found(self, query: str) -> Sequence[Found]:
        """The results of the first page."""
        search = importlib.import_module("mini_agent.coding.tools.searx").SearxSearch(self.address)
        found: Sequence[Found] = await search.found(query)
        return found


def late_sandbox(settings: Settings) -> AbstractAsyncContextManager[Invoker | None]:
    """The tools that run programs in the sidecar that the environment names; None without one."""
    if not settings.sidecar_url:
        return nullcontext()
    module = importlib.import_module("mini_agent.coding.sandboxed")
    opening: AbstractAsyncContextManager[Invoker | None] = module.sandbox_of(settings)
    return opening

"""Imports of web and sandbox tools at first use, which keep the start of the prompt fast."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from mini_agent.coding.permissions.policy import ChangeApprover, PermissionPolicy
from mini_agent.coding.settings import SandboxSettings
from mini_agent.coding.tools.context import ToolContext
from mini_agent.coding.tools.protocols import SearchResult
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker

# In the user's own .claude folder: changes of the sandbox that were not applied.
PATCHES: Final = "sandbox-patches"


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


@asynccontextmanager
async def open_sandbox_shell(
    context: ToolContext, settings: SandboxSettings
) -> AsyncIterator[ToolContext]:
    """Yield the context with a shell in the sandbox; as it is where that is not wanted.

    Raises `NotConfigured`, `Unauthorized` or `SandboxUnavailable` where no sandbox can be used.
    """
    if not settings.enabled:
        yield context
        return
    from mini_agent.coding.sandbox.shell import open_shell

    folders, excluded = context.folders, context.excluded
    async with open_shell(folders, context.environment, excluded, settings) as shell:
        yield replace(context, shell=shell)


def attach_review(
    context: ToolContext,
    permissions: PermissionPolicy,
    approver: ChangeApprover,
    warn: Callable[[str], None],
    patches: Path,
) -> None:
    """Let the changes of a shell in the sandbox be decided on; another shell has none."""
    from mini_agent.coding.sandbox.review import ChangeReview
    from mini_agent.coding.sandbox.shell import SandboxShell

    if isinstance(context.shell, SandboxShell):
        context.shell.review = ChangeReview(permissions, approver, warn, patches)

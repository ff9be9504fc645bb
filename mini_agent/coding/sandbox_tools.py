"""The sandbox's tools that run programs, beside the assistant's own tools."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.languages import DEFAULT_LANGUAGES
from mini_agent.tools.names import TOOL_BY_LANGUAGE
from mini_agent.tools.sandbox import RunSandbox, SandboxInvoker
from mini_agent.tools.sandbox_client import open_sandbox
from mini_agent.tools.wrappers import FilteredInvoker

PROGRAM_TOOLS: Final = frozenset(TOOL_BY_LANGUAGE.values())


@asynccontextmanager
async def open_sandbox_tools(settings: Settings) -> AsyncIterator[Invoker]:
    """Yield the tools that run programs in the sidecar that the environment names.

    Programs share a workspace until the block is left.
    """
    languages = [name.strip() for name in settings.languages.split(",") if name.strip()]
    async with (
        open_sandbox(settings) as client,
        aclosing(RunSandbox(client)) as sandbox,
    ):
        programs = SandboxInvoker(
            sandbox, languages=languages or DEFAULT_LANGUAGES, workspace="kept"
        )
        yield FilteredInvoker(programs, PROGRAM_TOOLS)

"""The tools of one run: those of all its places, in one catalog."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass
from typing import TypeAlias

from mini_agent.agent.tool_backends import gateway_for, languages_for, research_for_runs
from mini_agent.errors import BadRequest
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.remote.tool_backend import Place
from mini_agent.settings import Settings
from mini_agent.tools.echo import EchoMCP
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.languages import USUAL
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.run_sandbox import RunSandbox, Sidecar
from mini_agent.tools.sandbox import SandboxInvoker
from mini_agent.tools.wrappers import JoinedInvoker

Opening: TypeAlias = AbstractAsyncContextManager[Invoker]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a run's places get what they need; `mcp` opens the servers with these names, or all.

    INVARIANT: no request says what is started: commands come from the operator's files alone.
    """

    asked: AgentRunRequest
    settings: Settings
    sidecar: Callable[[], AbstractAsyncContextManager[Sidecar]]
    mcp: Callable[[Sequence[str] | None], Opening]


def tools_at(places: Sequence[Place], sources: Sources) -> Opening:
    """The tools of all `places`, for one run; of two with one name the first stays.

    Raises `BadRequest` at once for a place that lacks what it needs. Entering it raises what keeps
    a sandbox or a server away.
    """
    if sources.asked.tool_mcp_servers is not None and "mcp" not in places:
        raise BadRequest(
            "tool_mcp_servers names servers of tool_backend 'mcp', which is not asked for",
            field="tool_mcp_servers",
            hint=f"ask for tool_backend={'+'.join([*places, 'mcp'])!r}",
        )
    return _together([_opening(place, sources) for place in places])


def _opening(place: Place, sources: Sources) -> Opening:
    asked, settings = sources.asked, sources.settings
    languages = languages_for(asked.allowed_languages, settings)
    match place:
        case "echo":
            return nullcontext(EchoMCP())
        case "local":
            return nullcontext(LocalMCPInvoker(languages=languages))
        case "http":
            return gateway_for(asked, settings)
        case "research":
            return nullcontext(research_for_runs())
        case "mcp":
            return sources.mcp(asked.tool_mcp_servers)
        case "sidecar":
            return _in_sandboxes(sources, languages)
        case _:
            raise BadRequest(f"tool_backend {place!r} has no tools here", field="tool_backend")


@asynccontextmanager
async def _in_sandboxes(
    sources: Sources, languages: Sequence[str] | None
) -> AsyncIterator[Invoker]:
    async with sources.sidecar() as sidecar, sandbox_tools(sidecar, languages) as invoker:
        yield invoker


@asynccontextmanager
async def sandbox_tools(
    sidecar: Sidecar, languages: Sequence[str] | None
) -> AsyncIterator[Invoker]:
    """The tools that run programs in one session of `sidecar`.

    What the programs write in their working folder stays for the later ones, until the block is
    left.
    """
    async with aclosing(RunSandbox(sidecar)) as sandbox:
        yield SandboxInvoker(sandbox, languages=languages or USUAL, workspace="kept")


@asynccontextmanager
async def _together(openings: Sequence[Opening]) -> AsyncIterator[Invoker]:
    async with AsyncExitStack() as stack:
        invokers = [await stack.enter_async_context(opening) for opening in openings]
        yield invokers[0] if len(invokers) == 1 else JoinedInvoker(*invokers)

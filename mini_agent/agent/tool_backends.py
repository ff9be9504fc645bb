"""Where a run finds its tools: chosen once, before the run.

The tools of one run: those of all its places, in one catalog.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    aclosing,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass
from typing import Final, TypeAlias

from mini_agent.errors import BadRequest, NotConfigured
from mini_agent.remote.schema import JOINT, AgentRunRequest, Place, places_in
from mini_agent.settings import Settings
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.http import HttpToolsInvoker
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.languages import USUAL
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.research.invoker import NOTHING, ResearchPythonInvoker
from mini_agent.tools.sandbox import RunSandbox, SandboxInvoker, Sidecar
from mini_agent.tools.wrappers import JoinedInvoker

SHIM_ONLY: Final[tuple[Place, ...]] = ("docker",)


class UnsandboxedWarning(UserWarning):
    """Model-written code is about to run on this machine, unprotected, and nobody asked for it."""


def resolve_backend(backend: str, container: str, settings: Settings) -> tuple[Place, ...]:
    """The places that `backend` means here; `auto` takes the safest one that is configured.

    `SHIM_ONLY` stands alone: the shim does the whole run, with all places that are named beside
    it. Raises `NotConfigured` for a place there is not.
    """
    places = tuple(_resolve_place(place, container, settings) for place in places_in(backend))
    return SHIM_ONLY if "docker" in places else places


def translate_backend_for_shim(backend: str) -> str:
    """The same `tool_backend` as the shim has to be asked for it."""
    return JOINT.join("auto" if place == "docker" else place for place in places_in(backend))


def _resolve_place(place: Place, container: str, settings: Settings) -> Place:
    if place != "auto":
        _require_configured(place, container, settings)
        return place
    if container:
        return "docker"
    if settings.sidecar_url:
        return "sidecar"
    warnings.warn(
        "the code that the model writes runs on this machine, which is not a sandbox: set "
        "LITELLM_MINI_AGENT_DOCKER_CONTAINER=litellm-mini-agent with the stack up (`make up`), "
        "or tool_backend='local' if this is what you want",
        UnsandboxedWarning,
        stacklevel=2,
    )
    return "local"


def _require_configured(place: Place, container: str, settings: Settings) -> None:
    if place == "docker" and not container:
        raise NotConfigured(
            "tool_backend 'docker' needs the name of the shim's container",
            field="docker_container",
            hint="set LITELLM_MINI_AGENT_DOCKER_CONTAINER=litellm-mini-agent",
        )
    if place == "sidecar" and not settings.sidecar_url:
        raise NotConfigured(
            "tool_backend 'sidecar' needs the sidecar's address",
            field="tool_backend",
            hint="set MINI_AGENT_SIDECAR_URL, and MINI_AGENT_SIDECAR_TOKEN (`make token`)",
        )


def create_gateway_invoker(asked: AgentRunRequest, settings: Settings) -> HttpToolsInvoker:
    """The tools gateway of a run; the caller's headers come first.

    Raises `NotConfigured` where nobody says what its address is, and `BadRequest` for one that
    cannot be.
    """
    address = asked.tool_http_base_url or settings.tool_http_base_url
    if not address:
        raise NotConfigured(
            "tool_backend 'http' needs the address of a tools gateway",
            field="tool_http_base_url",
            hint="pass tool_http_base_url, or set MINI_AGENT_TOOL_HTTP_BASE_URL, "
            "such as http://127.0.0.1:8787",
        )
    # The environment's headers, a token among them, are for the environment's gateway alone.
    is_known = address == settings.tool_http_base_url or not settings.tool_http_base_url
    usual = settings.read_tool_http_headers() if is_known else {}
    own = asked.tool_http_headers or {}
    named = {name.lower() for name in own}
    kept = {name: value for name, value in usual.items() if name.lower() not in named}
    return HttpToolsInvoker(address, {**kept, **own})


def create_research_invoker() -> ResearchPythonInvoker:
    """The research tools of this machine; `NotConfigured` where it has none."""
    research = ResearchPythonInvoker()
    if not research.is_configured:
        raise NotConfigured(
            "tool_backend 'research' has no tool here", field="tool_backend", hint=NOTHING
        )
    return research


def choose_languages(asked: Sequence[str] | None, settings: Settings) -> Sequence[str] | None:
    """The languages of a run: the caller's, else the environment's, else None for the usual."""
    if asked is not None:
        return asked
    named = [name.strip() for name in settings.languages.split(",") if name.strip()]
    return named or None


InvokerContext: TypeAlias = AbstractAsyncContextManager[Invoker]


@dataclass(frozen=True, slots=True)
class ToolSources:
    """Where a run's places get what they need; `mcp` opens the servers with these names, or all.

    INVARIANT: no request says what is started: commands come from the operator's files alone.
    """

    asked: AgentRunRequest
    settings: Settings
    sidecar: Callable[[], AbstractAsyncContextManager[Sidecar]]
    mcp: Callable[[Sequence[str] | None], InvokerContext]


def open_tools(places: Sequence[Place], sources: ToolSources) -> InvokerContext:
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
    return _open_combined([_open_place(place, sources) for place in places])


def _open_place(place: Place, sources: ToolSources) -> InvokerContext:
    asked, settings = sources.asked, sources.settings
    languages = choose_languages(asked.allowed_languages, settings)
    match place:
        case "echo":
            return nullcontext(EchoMCP())
        case "local":
            return nullcontext(LocalMCPInvoker(languages=languages))
        case "http":
            return create_gateway_invoker(asked, settings)
        case "research":
            return nullcontext(create_research_invoker())
        case "mcp":
            return sources.mcp(asked.tool_mcp_servers)
        case "sidecar":
            return _open_sidecar(sources, languages)
        case _:
            raise BadRequest(f"tool_backend {place!r} has no tools here", field="tool_backend")


@asynccontextmanager
async def _open_sidecar(
    sources: ToolSources, languages: Sequence[str] | None
) -> AsyncIterator[Invoker]:
    async with sources.sidecar() as sidecar, open_sandbox_tools(sidecar, languages) as invoker:
        yield invoker


@asynccontextmanager
async def open_sandbox_tools(
    sidecar: Sidecar, languages: Sequence[str] | None
) -> AsyncIterator[Invoker]:
    """The tools that run programs in one session of `sidecar`.

    What the programs write in their working folder stays for the later ones, until the block is
    left.
    """
    async with aclosing(RunSandbox(sidecar)) as sandbox:
        yield SandboxInvoker(sandbox, languages=languages or USUAL, workspace="kept")


@asynccontextmanager
async def _open_combined(openings: Sequence[InvokerContext]) -> AsyncIterator[Invoker]:
    async with AsyncExitStack() as stack:
        invokers = [await stack.enter_async_context(opening) for opening in openings]
        yield invokers[0] if len(invokers) == 1 else JoinedInvoker(*invokers)

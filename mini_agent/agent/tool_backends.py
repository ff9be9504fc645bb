"""Tool backends: resolves where a run finds its tools, and opens them as one invoker."""

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
from mini_agent.remote.schema import SEPARATOR, AgentRunRequest, Backend, split_tool_backend
from mini_agent.settings import Settings
from mini_agent.tools.catalog import EchoMCP
from mini_agent.tools.http import HttpToolsInvoker
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.languages import DEFAULT_LANGUAGES
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.research.invoker import NOT_CONFIGURED, ResearchPythonInvoker
from mini_agent.tools.sandbox import RunSandbox, SandboxInvoker, SessionProvider
from mini_agent.tools.wrappers import CombinedInvoker

SHIM_ONLY: Final[tuple[Backend, ...]] = ("docker",)

InvokerContext: TypeAlias = AbstractAsyncContextManager[Invoker]


class UnsandboxedWarning(UserWarning):
    """Model-written code is about to run on this machine, unprotected, by default."""


def resolve_backend(backend: str, container: str, settings: Settings) -> tuple[Backend, ...]:
    """Resolves `backend` to places; `auto` is the safest one that is configured.

    Returns `SHIM_ONLY` where the shim is one of them: it does the whole run, with the other places.
    Raises `NotConfigured` for a place that is not configured.
    """
    places = tuple(
        _resolve_place(place, container, settings) for place in split_tool_backend(backend)
    )
    return SHIM_ONLY if "docker" in places else places


def translate_backend_for_shim(backend: str) -> str:
    """Translates a `tool_backend` with the shim in it to the one that the shim is sent."""
    return SEPARATOR.join(
        "auto" if place == "docker" else place for place in split_tool_backend(backend)
    )


def _resolve_place(place: Backend, container: str, settings: Settings) -> Backend:
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


def _require_configured(place: Backend, container: str, settings: Settings) -> None:
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


@dataclass(frozen=True, slots=True)
class ToolSources:
    """What a run's tools are opened with; `mcp` opens the servers with the given names, or all.

    INVARIANT: no request says what is started: commands come from the operator's files alone.
    """

    request: AgentRunRequest
    settings: Settings
    sidecar: Callable[[], AbstractAsyncContextManager[SessionProvider]]
    mcp: Callable[[Sequence[str] | None], InvokerContext]


def open_tools(places: Sequence[Backend], sources: ToolSources) -> InvokerContext:
    """Opens the tools of all `places` for one run; the first of two with one name counts.

    Raises `BadRequest` at once for a place that lacks what it needs. Entering the context raises
    when a sandbox or a server cannot be reached.
    """
    if sources.request.tool_mcp_servers is not None and "mcp" not in places:
        raise BadRequest(
            "tool_mcp_servers names servers of tool_backend 'mcp', which is not asked for",
            field="tool_mcp_servers",
            hint=f"ask for tool_backend={'+'.join([*places, 'mcp'])!r}",
        )
    return _combine([_open_place(place, sources) for place in places])


@asynccontextmanager
async def _combine(contexts: Sequence[InvokerContext]) -> AsyncIterator[Invoker]:
    async with AsyncExitStack() as stack:
        invokers = [await stack.enter_async_context(context) for context in contexts]
        yield invokers[0] if len(invokers) == 1 else CombinedInvoker(*invokers)


def _open_place(place: Backend, sources: ToolSources) -> InvokerContext:
    request, settings = sources.request, sources.settings
    languages = choose_languages(request.allowed_languages, settings)
    match place:
        case "echo":
            return nullcontext(EchoMCP())
        case "local":
            return nullcontext(LocalMCPInvoker(languages=languages))
        case "http":
            return create_gateway_invoker(request, settings)
        case "research":
            return nullcontext(_create_research_invoker())
        case "mcp":
            return sources.mcp(request.tool_mcp_servers)
        case "sidecar":
            return _open_sidecar(sources, languages)
        case _:
            raise BadRequest(f"tool_backend {place!r} has no tools here", field="tool_backend")


def choose_languages(requested: Sequence[str] | None, settings: Settings) -> Sequence[str] | None:
    """Chooses the request's languages, else the environment's, else None for the default."""
    if requested is not None:
        return requested
    named = [name.strip() for name in settings.languages.split(",") if name.strip()]
    return named or None


def create_gateway_invoker(request: AgentRunRequest, settings: Settings) -> HttpToolsInvoker:
    """Creates the invoker of the HTTP tools gateway; the request's headers take precedence.

    Raises `NotConfigured` without an address, and `BadRequest` for an invalid one.
    """
    address = request.tool_http_base_url or settings.tool_http_base_url
    if not address:
        raise NotConfigured(
            "tool_backend 'http' needs the address of a tools gateway",
            field="tool_http_base_url",
            hint="pass tool_http_base_url, or set MINI_AGENT_TOOL_HTTP_BASE_URL, "
            "such as http://127.0.0.1:8787",
        )
    # INVARIANT: the environment's headers, with a token, go to the environment's gateway alone.
    is_known = address == settings.tool_http_base_url or not settings.tool_http_base_url
    defaults = settings.read_tool_http_headers() if is_known else {}
    headers = request.tool_http_headers or {}
    named = {name.lower() for name in headers}
    added = {name: value for name, value in defaults.items() if name.lower() not in named}
    return HttpToolsInvoker(address, {**added, **headers})


def _create_research_invoker() -> ResearchPythonInvoker:
    research = ResearchPythonInvoker()
    if not research.is_configured:
        raise NotConfigured(
            "tool_backend 'research' has no tool here", field="tool_backend", hint=NOT_CONFIGURED
        )
    return research


@asynccontextmanager
async def _open_sidecar(
    sources: ToolSources, languages: Sequence[str] | None
) -> AsyncIterator[Invoker]:
    async with sources.sidecar() as sidecar, open_sandbox_tools(sidecar, languages) as invoker:
        yield invoker


@asynccontextmanager
async def open_sandbox_tools(
    sidecar: SessionProvider, languages: Sequence[str] | None
) -> AsyncIterator[Invoker]:
    """Opens the tools that run programs in one session of `sidecar`.

    Files that the programs write into their workspace are there for later ones, until the context
    is left.
    """
    async with aclosing(RunSandbox(sidecar)) as sandbox:
        yield SandboxInvoker(sandbox, languages=languages or DEFAULT_LANGUAGES, workspace="kept")

"""Where a run's snippets run: chosen once, before the run."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Literal, TypeAlias

from mini_agent.errors import NotConfigured
from mini_agent.settings import Settings
from mini_agent.tools.echo import EchoMCP
from mini_agent.tools.http_tools_invoker import HttpToolsInvoker
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.languages import USUAL
from mini_agent.tools.local import LocalMCPInvoker
from mini_agent.tools.run_sandbox import RunSandbox, Sidecar
from mini_agent.tools.sandbox_invoker import SandboxInvoker
from mini_agent.wire import AgentRunRequest, ToolBackend

Place: TypeAlias = Literal["docker", "sidecar", "local", "http", "echo"]


class NotASandbox(UserWarning):
    """Model-written code is about to run on this machine, unprotected, and nobody asked for it."""


def place_for(backend: ToolBackend, container: str, settings: Settings) -> Place:
    """The place that `backend` means here; `auto` takes the safest one that is configured.

    Raises `NotConfigured` for a place there is not.
    """
    if backend != "auto":
        _require_configured(backend, container, settings)
        return backend
    if container:
        return "docker"
    if settings.sidecar_url:
        return "sidecar"
    warnings.warn(
        "the code that the model writes runs on this machine, which is not a sandbox: set "
        "LITELLM_MINI_AGENT_DOCKER_CONTAINER=litellm-mini-agent with the stack up (`make up`), "
        "or tool_backend='local' if this is what you want",
        NotASandbox,
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


def gateway_for(asked: AgentRunRequest, settings: Settings) -> HttpToolsInvoker | None:
    """The tools gateway of a run whose `tool_backend` is http; the caller's headers come first.

    Raises `NotConfigured` where nobody says what its address is, and `BadRequest` for one that
    cannot be.
    """
    if asked.tool_backend != "http":
        return None
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


@asynccontextmanager
async def tools_at(
    place: Place,
    languages: Sequence[str] | None,
    sidecar: Sidecar | None = None,
    gateway: HttpToolsInvoker | None = None,
) -> AsyncIterator[Invoker]:
    """The tools of one run at `place`, which for http is the `gateway`; only echo and local can do
    without either and without a `sidecar`.

    What the run's programs write in their working folder stays for the later ones, until the block
    is left.
    """
    if place == "echo":
        yield EchoMCP()
    elif place == "local":
        yield LocalMCPInvoker(languages=languages)
    elif gateway is not None:
        async with gateway:
            yield gateway
    elif sidecar is None:
        raise NotConfigured(f"tool_backend {place!r} has no sandbox", field="tool_backend")
    else:
        async with aclosing(RunSandbox(sidecar)) as sandbox:
            yield SandboxInvoker(sandbox, languages=languages or USUAL, workspace="kept")


def languages_for(asked: Sequence[str] | None, settings: Settings) -> Sequence[str] | None:
    """The languages of a run: the caller's, else the environment's, else None for the usual."""
    if asked is not None:
        return asked
    named = [name.strip() for name in settings.languages.split(",") if name.strip()]
    return named or None

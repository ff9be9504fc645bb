"""Where a run finds its tools: chosen once, before the run."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

from mini_agent.errors import NotConfigured
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.remote.tool_backend import JOINT, Place, places_in
from mini_agent.settings import Settings
from mini_agent.tools.http_tools_invoker import HttpToolsInvoker
from mini_agent.tools.research.invoker import NOTHING, ResearchPythonInvoker

IN_THE_SHIM: Final[tuple[Place, ...]] = ("docker",)


class NotASandbox(UserWarning):
    """Model-written code is about to run on this machine, unprotected, and nobody asked for it."""


def places_for(backend: str, container: str, settings: Settings) -> tuple[Place, ...]:
    """The places that `backend` means here; `auto` takes the safest one that is configured.

    `IN_THE_SHIM` stands alone: the shim does the whole run, with all places that are named beside
    it. Raises `NotConfigured` for a place there is not.
    """
    places = tuple(_place_for(place, container, settings) for place in places_in(backend))
    return IN_THE_SHIM if "docker" in places else places


def backend_in_the_shim(backend: str) -> str:
    """The same `tool_backend` as the shim has to be asked for it."""
    return JOINT.join("auto" if place == "docker" else place for place in places_in(backend))


def _place_for(place: Place, container: str, settings: Settings) -> Place:
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


def gateway_for(asked: AgentRunRequest, settings: Settings) -> HttpToolsInvoker:
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


def research_for_runs() -> ResearchPythonInvoker:
    """The research tools of this machine; `NotConfigured` where it has none."""
    research = ResearchPythonInvoker()
    if not research.is_configured:
        raise NotConfigured(
            "tool_backend 'research' has no tool here", field="tool_backend", hint=NOTHING
        )
    return research


def languages_for(asked: Sequence[str] | None, settings: Settings) -> Sequence[str] | None:
    """The languages of a run: the caller's, else the environment's, else None for the usual."""
    if asked is not None:
        return asked
    named = [name.strip() for name in settings.languages.split(",") if name.strip()]
    return named or None

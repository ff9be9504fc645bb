"""The tools of one run in the shim."""

from __future__ import annotations

from mini_agent.backends import invoker_at, languages_for
from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import Invoker
from mini_agent.wire import AgentRunRequest
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar_line import SidecarLine


def invoker_for(asked: AgentRunRequest, settings: ShimSettings, line: SidecarLine) -> Invoker:
    """What the request's `tool_backend` means here, where `auto` is the sidecar."""
    languages = languages_for(asked.allowed_languages, settings)
    match asked.tool_backend:
        case "docker" | "http":
            raise BadRequest(
                f"tool_backend {asked.tool_backend!r} is not available in the shim",
                field="tool_backend",
                hint="there is auto (the sidecar), sidecar, local and echo",
            )
        case "auto" | "sidecar":
            return invoker_at("sidecar", languages, line.client())
        case place:
            return invoker_at(place, languages)

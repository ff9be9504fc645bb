"""The tools of one run in the shim."""

from __future__ import annotations

from contextlib import nullcontext

from mini_agent.agent.run_tools import Opening, Sources, tools_at
from mini_agent.errors import BadRequest
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.remote.tool_backend import Place, places_in
from mini_agent_shim.mcp.servers import McpServers
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar import SidecarLine


def tools_for(
    asked: AgentRunRequest, settings: ShimSettings, line: SidecarLine, servers: McpServers
) -> Opening:
    """What the request's `tool_backend` means here, where `auto` is the sidecar."""
    places = [_place_here(place) for place in places_in(asked.tool_backend)]
    sources = Sources(asked, settings, lambda: nullcontext(line.client()), servers.opened)
    return tools_at(places, sources)


def _place_here(place: Place) -> Place:
    if place == "docker":
        raise BadRequest(
            "tool_backend 'docker' is not available in the shim",
            field="tool_backend",
            hint="there is auto (the sidecar), sidecar, local, http, mcp, research and echo",
        )
    return "sidecar" if place == "auto" else place

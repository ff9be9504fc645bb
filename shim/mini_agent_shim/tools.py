"""The tools of one run in the shim."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from mini_agent.backends import gateway_for, languages_for, tools_at
from mini_agent.errors import BadRequest
from mini_agent.tools.invoker import Invoker
from mini_agent.wire import AgentRunRequest
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar_line import SidecarLine


def tools_for(
    asked: AgentRunRequest, settings: ShimSettings, line: SidecarLine
) -> AbstractAsyncContextManager[Invoker]:
    """What the request's `tool_backend` means here, where `auto` is the sidecar."""
    languages = languages_for(asked.allowed_languages, settings)
    match asked.tool_backend:
        case "docker":
            raise BadRequest(
                f"tool_backend {asked.tool_backend!r} is not available in the shim",
                field="tool_backend",
                hint="there is auto (the sidecar), sidecar, local, http and echo",
            )
        case "auto" | "sidecar":
            return tools_at("sidecar", languages, line.client())
        case place:
            return tools_at(place, languages, gateway=gateway_for(asked, settings))

"""mini-agent: an agent loop for any model, whose snippets run in short-lived sealed sandboxes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mini_agent.agent import (
        arun_mcp_mini_agent,
        astream_mcp_mini_agent,
        run_mcp_mini_agent,
    )
    from mini_agent.config import AgentConfig
    from mini_agent.images import awith_images, with_images
    from mini_agent.images.limits import ImageLimits
    from mini_agent.litellm_handler import MiniAgentLLM
    from mini_agent.litellm_install import install, register_custom_provider
    from mini_agent.litellm_model import LiteLLMModel
    from mini_agent.result import AgentResult, Iteration, ToolInvocation, Usage
    from mini_agent.tools.echo import EchoMCP
    from mini_agent.tools.local import LocalMCPInvoker
    from mini_agent.tools.sandbox_invoker import SandboxInvoker

__all__ = [
    "AgentConfig",
    "AgentResult",
    "EchoMCP",
    "ImageLimits",
    "Iteration",
    "LiteLLMModel",
    "LocalMCPInvoker",
    "MiniAgentLLM",
    "SandboxInvoker",
    "ToolInvocation",
    "Usage",
    "arun_mcp_mini_agent",
    "astream_mcp_mini_agent",
    "awith_images",
    "install",
    "register_custom_provider",
    "run_mcp_mini_agent",
    "with_images",
]

_HOMES = {
    "AgentConfig": "config",
    "AgentResult": "result",
    "EchoMCP": "tools.echo",
    "ImageLimits": "images.limits",
    "Iteration": "result",
    "LiteLLMModel": "litellm_model",
    "LocalMCPInvoker": "tools.local",
    "MiniAgentLLM": "litellm_handler",
    "SandboxInvoker": "tools.sandbox_invoker",
    "ToolInvocation": "result",
    "Usage": "result",
    "arun_mcp_mini_agent": "agent",
    "astream_mcp_mini_agent": "agent",
    "awith_images": "images",
    "install": "litellm_install",
    "register_custom_provider": "litellm_install",
    "run_mcp_mini_agent": "agent",
    "with_images": "images",
}


# The sidecar's image has this package's words without its dependencies, and a command line that
# only prints its help should not wait for them either: each name is imported when it is used.
def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'mini_agent' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mini_agent.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

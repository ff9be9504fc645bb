"""mini-agent: an agent loop for any model, whose snippets run in short-lived sealed sandboxes."""

from __future__ import annotations

import importlib

# Not typing's own: every start of Python that arms the provider passes through here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from mini_agent.agent.images import awith_images, with_images
    from mini_agent.agent.images.sources import ImageLimits
    from mini_agent.agent.run import arun_mcp_mini_agent, astream_mcp_mini_agent, run_mcp_mini_agent
    from mini_agent.config import AgentConfig
    from mini_agent.mcp.client.invoker import McpInvoker
    from mini_agent.models.litellm import LiteLLMModel
    from mini_agent.provider.handler import MiniAgentLLM
    from mini_agent.provider.install import install
    from mini_agent.provider.registration import register_custom_provider
    from mini_agent.result import AgentResult, Iteration, ToolInvocation, Usage
    from mini_agent.tools.catalog import EchoMCP
    from mini_agent.tools.http import HttpToolsInvoker
    from mini_agent.tools.local import LocalMCPInvoker
    from mini_agent.tools.research.invoker import ResearchPythonInvoker
    from mini_agent.tools.sandbox import SandboxInvoker
    from mini_agent.tools.wrappers import (
        ApprovedInvoker,
        FilteredInvoker,
        JoinedInvoker,
        NamespacedInvoker,
        TimedInvoker,
    )

__all__ = [
    "AgentConfig",
    "AgentResult",
    "ApprovedInvoker",
    "EchoMCP",
    "FilteredInvoker",
    "HttpToolsInvoker",
    "ImageLimits",
    "Iteration",
    "JoinedInvoker",
    "LiteLLMModel",
    "LocalMCPInvoker",
    "McpInvoker",
    "MiniAgentLLM",
    "NamespacedInvoker",
    "ResearchPythonInvoker",
    "SandboxInvoker",
    "TimedInvoker",
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
    "ApprovedInvoker": "tools.wrappers",
    "EchoMCP": "tools.catalog",
    "FilteredInvoker": "tools.wrappers",
    "HttpToolsInvoker": "tools.http",
    "ImageLimits": "agent.images.sources",
    "Iteration": "result",
    "JoinedInvoker": "tools.wrappers",
    "LiteLLMModel": "models.litellm",
    "LocalMCPInvoker": "tools.local",
    "McpInvoker": "mcp.client.invoker",
    "MiniAgentLLM": "provider.handler",
    "NamespacedInvoker": "tools.wrappers",
    "ResearchPythonInvoker": "tools.research.invoker",
    "SandboxInvoker": "tools.sandbox",
    "TimedInvoker": "tools.wrappers",
    "ToolInvocation": "result",
    "Usage": "result",
    "arun_mcp_mini_agent": "agent.run",
    "astream_mcp_mini_agent": "agent.run",
    "awith_images": "agent.images",
    "install": "provider.install",
    "register_custom_provider": "provider.registration",
    "run_mcp_mini_agent": "agent.run",
    "with_images": "agent.images",
}


# The sidecar's image has this package's words without its dependencies, and a command line that
# only prints its help should not wait for them either: each name is imported when it is used.
def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'mini_agent' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mini_agent.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)

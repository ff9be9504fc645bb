"""mini-agent: an agent loop for any model, whose snippets run in short-lived sealed sandboxes."""

from __future__ import annotations

import importlib

# Not typing's own: every start of Python that arms the provider passes through here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from mini_agent.agent.images import awith_images, with_images
    from mini_agent.agent.images.limits import ImageLimits
    from mini_agent.agent.run import arun_mcp_mini_agent, astream_mcp_mini_agent, run_mcp_mini_agent
    from mini_agent.config import AgentConfig
    from mini_agent.mcp.client.invoker import McpInvoker
    from mini_agent.models.litellm_model import LiteLLMModel
    from mini_agent.provider.handler import MiniAgentLLM
    from mini_agent.provider.install import install
    from mini_agent.provider.litellm_install import register_custom_provider
    from mini_agent.result import AgentResult, Iteration, ToolInvocation, Usage
    from mini_agent.tools.approved import ApprovedInvoker
    from mini_agent.tools.echo import EchoMCP
    from mini_agent.tools.filtered import FilteredInvoker
    from mini_agent.tools.http_tools_invoker import HttpToolsInvoker
    from mini_agent.tools.local import LocalMCPInvoker
    from mini_agent.tools.namespaced import NamespacedInvoker
    from mini_agent.tools.research.invoker import ResearchPythonInvoker
    from mini_agent.tools.sandbox import SandboxInvoker
    from mini_agent.tools.timed import TimedInvoker
    from mini_agent.tools.wrappers import JoinedInvoker

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
    "ApprovedInvoker": "tools.approved",
    "EchoMCP": "tools.echo",
    "FilteredInvoker": "tools.filtered",
    "HttpToolsInvoker": "tools.http_tools_invoker",
    "ImageLimits": "agent.images.limits",
    "Iteration": "result",
    "JoinedInvoker": "tools.wrappers",
    "LiteLLMModel": "models.litellm_model",
    "LocalMCPInvoker": "tools.local",
    "McpInvoker": "mcp.client.invoker",
    "MiniAgentLLM": "provider.handler",
    "NamespacedInvoker": "tools.namespaced",
    "ResearchPythonInvoker": "tools.research.invoker",
    "SandboxInvoker": "tools.sandbox",
    "TimedInvoker": "tools.timed",
    "ToolInvocation": "result",
    "Usage": "result",
    "arun_mcp_mini_agent": "agent.run",
    "astream_mcp_mini_agent": "agent.run",
    "awith_images": "agent.images",
    "install": "provider.install",
    "register_custom_provider": "provider.litellm_install",
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

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
    from mini_agent.errors import (
        BadRequest,
        ContextTooLong,
        ErrorBody,
        MiniAgentError,
        ModelError,
        ModelUnavailable,
        NotConfigured,
        NoToolSupport,
        Problem,
        SandboxBusy,
        SandboxError,
        SandboxUnavailable,
        SessionOver,
        ShimUnavailable,
        ToolsUnavailable,
        ToolTooSlow,
        Unauthorized,
    )
    from mini_agent.events import (
        CallRepaired,
        CallsUnderstood,
        Event,
        ModelAsked,
        ModelReplied,
        Observation,
        RequestedCall,
        RunStarted,
        Stopped,
        ToolFinished,
        ToolOutputPiece,
        ToolStarted,
        UnderstoodCall,
    )
    from mini_agent.mcp.client.invoker import McpInvoker
    from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall
    from mini_agent.models.litellm import LiteLLMModel
    from mini_agent.provider.handler import MiniAgentLLM
    from mini_agent.provider.install import install
    from mini_agent.provider.registration import register_custom_provider
    from mini_agent.result import AgentResult, Iteration, ToolInvocation, Usage
    from mini_agent.sandbox import (
        Artifact,
        EnforcedLimits,
        Execution,
        Language,
        Limits,
        Output,
        Rich,
        Sandbox,
        SandboxFacts,
        SessionFacts,
        SidecarClient,
        SidecarSession,
        Snippet,
        Status,
        StreamingSandbox,
        Timings,
        Truncated,
        WorkspaceFile,
    )
    from mini_agent.tools.catalog import EchoMCP
    from mini_agent.tools.http import HttpToolsInvoker
    from mini_agent.tools.invoker import Invoker, StreamingInvoker, ToolOutput
    from mini_agent.tools.local import LocalMCPInvoker
    from mini_agent.tools.research.invoker import ResearchPythonInvoker
    from mini_agent.tools.sandbox import SandboxInvoker
    from mini_agent.tools.wrappers import (
        ApprovalInvoker,
        CombinedInvoker,
        FilteredInvoker,
        PrefixedInvoker,
        TimeoutInvoker,
    )

    ApprovedInvoker = ApprovalInvoker
    JoinedInvoker = CombinedInvoker
    NamespacedInvoker = PrefixedInvoker
    TimedInvoker = TimeoutInvoker

__all__ = [
    "AgentConfig",
    "AgentResult",
    "ApprovalInvoker",
    "Artifact",
    "BadRequest",
    "CallRepaired",
    "CallsUnderstood",
    "CombinedInvoker",
    "ContextTooLong",
    "EchoMCP",
    "EnforcedLimits",
    "ErrorBody",
    "Event",
    "Execution",
    "FilteredInvoker",
    "HttpToolsInvoker",
    "ImageLimits",
    "Invoker",
    "Iteration",
    "Language",
    "Limits",
    "LiteLLMModel",
    "LocalMCPInvoker",
    "McpInvoker",
    "MiniAgentError",
    "MiniAgentLLM",
    "Model",
    "ModelAsked",
    "ModelError",
    "ModelReplied",
    "ModelReply",
    "ModelRequest",
    "ModelUnavailable",
    "NoToolSupport",
    "NotConfigured",
    "Observation",
    "Output",
    "PrefixedInvoker",
    "Problem",
    "RequestedCall",
    "ResearchPythonInvoker",
    "Rich",
    "RunStarted",
    "Sandbox",
    "SandboxBusy",
    "SandboxError",
    "SandboxFacts",
    "SandboxInvoker",
    "SandboxUnavailable",
    "SessionFacts",
    "SessionOver",
    "ShimUnavailable",
    "SidecarClient",
    "SidecarSession",
    "Snippet",
    "Status",
    "Stopped",
    "StreamingInvoker",
    "StreamingSandbox",
    "TimeoutInvoker",
    "Timings",
    "ToolCall",
    "ToolFinished",
    "ToolInvocation",
    "ToolOutput",
    "ToolOutputPiece",
    "ToolStarted",
    "ToolTooSlow",
    "ToolsUnavailable",
    "Truncated",
    "Unauthorized",
    "UnderstoodCall",
    "Usage",
    "WorkspaceFile",
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
    "ApprovalInvoker": "tools.wrappers",
    "Artifact": "sandbox",
    "BadRequest": "errors",
    "CallRepaired": "events",
    "CallsUnderstood": "events",
    "CombinedInvoker": "tools.wrappers",
    "ContextTooLong": "errors",
    "EchoMCP": "tools.catalog",
    "EnforcedLimits": "sandbox",
    "ErrorBody": "errors",
    "Event": "events",
    "Execution": "sandbox",
    "FilteredInvoker": "tools.wrappers",
    "HttpToolsInvoker": "tools.http",
    "ImageLimits": "agent.images.sources",
    "Invoker": "tools.invoker",
    "Iteration": "result",
    "Language": "sandbox",
    "Limits": "sandbox",
    "LiteLLMModel": "models.litellm",
    "LocalMCPInvoker": "tools.local",
    "McpInvoker": "mcp.client.invoker",
    "MiniAgentError": "errors",
    "MiniAgentLLM": "provider.handler",
    "Model": "model",
    "ModelAsked": "events",
    "ModelError": "errors",
    "ModelReplied": "events",
    "ModelReply": "model",
    "ModelRequest": "model",
    "ModelUnavailable": "errors",
    "NoToolSupport": "errors",
    "NotConfigured": "errors",
    "Observation": "events",
    "Output": "sandbox",
    "PrefixedInvoker": "tools.wrappers",
    "Problem": "errors",
    "RequestedCall": "events",
    "ResearchPythonInvoker": "tools.research.invoker",
    "Rich": "sandbox",
    "RunStarted": "events",
    "Sandbox": "sandbox",
    "SandboxBusy": "errors",
    "SandboxError": "errors",
    "SandboxFacts": "sandbox",
    "SandboxInvoker": "tools.sandbox",
    "SandboxUnavailable": "errors",
    "SessionFacts": "sandbox",
    "SessionOver": "errors",
    "ShimUnavailable": "errors",
    "SidecarClient": "sandbox",
    "SidecarSession": "sandbox",
    "Snippet": "sandbox",
    "Status": "sandbox",
    "Stopped": "events",
    "StreamingInvoker": "tools.invoker",
    "StreamingSandbox": "sandbox",
    "TimeoutInvoker": "tools.wrappers",
    "Timings": "sandbox",
    "ToolCall": "model",
    "ToolFinished": "events",
    "ToolInvocation": "result",
    "ToolOutput": "tools.invoker",
    "ToolOutputPiece": "events",
    "ToolStarted": "events",
    "ToolTooSlow": "errors",
    "ToolsUnavailable": "errors",
    "Truncated": "sandbox",
    "Unauthorized": "errors",
    "UnderstoodCall": "events",
    "Usage": "result",
    "WorkspaceFile": "sandbox",
    "arun_mcp_mini_agent": "agent.run",
    "astream_mcp_mini_agent": "agent.run",
    "awith_images": "agent.images",
    "install": "provider.install",
    "register_custom_provider": "provider.registration",
    "run_mcp_mini_agent": "agent.run",
    "with_images": "agent.images",
}
# Earlier names, still importable.
_ALIASES = {
    "ApprovedInvoker": "ApprovalInvoker",
    "JoinedInvoker": "CombinedInvoker",
    "NamespacedInvoker": "PrefixedInvoker",
    "TimedInvoker": "TimeoutInvoker",
}


# Import each name when it is first used: a command line that only prints its help must not wait
# for LiteLLM or pydantic.
def __getattr__(name: str) -> object:
    current = _ALIASES.get(name, name)
    if current not in _HOMES:
        raise AttributeError(f"module 'mini_agent' has no attribute {name!r}")
    return getattr(importlib.import_module(f"mini_agent.{_HOMES[current]}"), current)


def __dir__() -> list[str]:
    return sorted(__all__)

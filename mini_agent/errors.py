"""Every error the project raises, as one tree; what the sandbox API shares is in the protocol."""

from __future__ import annotations

from mini_agent_protocol.errors import (
    BadRequest,
    MiniAgentError,
    SandboxBusy,
    SandboxError,
    SandboxUnavailable,
    SessionOver,
    Unauthorized,
)
from mini_agent_protocol.problems import ErrorBody, Problem

__all__ = [
    "BadRequest",
    "ContextTooLong",
    "ErrorBody",
    "MiniAgentError",
    "ModelError",
    "ModelUnavailable",
    "NoToolSupport",
    "NotConfigured",
    "Problem",
    "SandboxBusy",
    "SandboxError",
    "SandboxUnavailable",
    "SessionOver",
    "ShimUnavailable",
    "ToolTooSlow",
    "ToolsUnavailable",
    "Unauthorized",
]


class NotConfigured(BadRequest):
    """A setting that has no default is missing; the hint names the variables to set."""

    code = "not_configured"


class ModelError(MiniAgentError):
    """The model server could not answer: not reachable, model not pulled, refused, too slow."""

    code = "model_error"


class ModelUnavailable(ModelError):
    """The server is away, busy or broke down; the same call may go through a moment later.

    `retry_after_s` is when, in seconds from now, if the server said so.
    """

    code = "model_unavailable"
    retryable = True

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class ContextTooLong(ModelError):
    """The conversation does not fit into the model's context; a shorter one may."""

    code = "context_too_long"


class NoToolSupport(ModelError):
    """The server refuses tools for this model; it can still be asked in plain text."""

    code = "no_tool_support"


class ShimUnavailable(MiniAgentError):
    """The shim container is not running or does not answer."""

    code = "shim_unavailable"
    retryable = True


class ToolsUnavailable(MiniAgentError):
    """Tools that are somewhere else cannot be reached, or answer nonsense."""

    code = "tools_unavailable"
    retryable = True


class ToolTooSlow(ToolsUnavailable):
    """A call took too long and was cut; whether it was carried out is not known."""

    code = "tool_timeout"
    retryable = False

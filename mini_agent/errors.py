"""The errors of the library, as one tree; those of the sandbox API are defined in the protocol."""

from __future__ import annotations

from typing import Literal, TypeAlias

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
    "NoImageSupport",
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

UnavailableCause: TypeAlias = Literal["failed", "busy", "unreachable"]


class NotConfigured(BadRequest):
    """A setting that has no default is missing; the hint names the variables to set."""

    code = "not_configured"


class ModelError(MiniAgentError):
    """The model server did not reply: not reachable, model not pulled, request refused, timeout."""

    code = "model_error"


class ModelUnavailable(ModelError):
    """The server is not reachable, busy or failed; the same request may succeed later.

    `retry_after_s` is when, in seconds from now; None where the server sent no such time. `cause`
    is "busy" where it took no request at all, "unreachable" where nothing answered, else "failed".
    """

    code = "model_unavailable"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry_after_s: float | None = None,
        cause: UnavailableCause = "failed",
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.cause = cause


class ContextTooLong(ModelError):
    """The messages do not fit into the model's context; fewer may."""

    code = "context_too_long"


class NoImageSupport(ModelError):
    """The server refuses the images of a request; it may take the same request without them."""

    code = "no_image_support"


class NoToolSupport(ModelError):
    """The server refuses tools for this model; it can still be prompted for calls in text."""

    code = "no_tool_support"


class ShimUnavailable(MiniAgentError):
    """The shim container is not running or does not answer."""

    code = "shim_unavailable"
    retryable = True


class ToolsUnavailable(MiniAgentError):
    """A server of tools cannot be reached, or its response is invalid."""

    code = "tools_unavailable"
    retryable = True


class ToolTooSlow(ToolsUnavailable):
    """A call took too long and was cut off; whether it was executed is not known."""

    code = "tool_timeout"
    retryable = False

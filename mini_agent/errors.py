"""Every error the project raises, as one tree, and the one shape errors take on the wire."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class MiniAgentError(Exception):
    """Root of the tree: a sentence that says what happened, and a hint that says what to do."""

    code = "error"
    retryable = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class BadRequest(MiniAgentError):
    """The caller asked for something that cannot be: `field` names what to change."""

    code = "bad_request"

    def __init__(self, message: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class NotConfigured(BadRequest):
    """A setting that has no default is missing; the hint names the variables to set."""

    code = "not_configured"


class Unauthorized(MiniAgentError):
    """The token is missing or wrong."""

    code = "unauthorized"


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


class SandboxError(MiniAgentError):
    """A snippet could not be run at all; a snippet that ran and failed is an `Execution`."""

    code = "sandbox_error"


class SandboxUnavailable(SandboxError):
    """The sidecar or its engine is away or busy; the same call may go through later."""

    code = "sandbox_unavailable"
    retryable = True


class SandboxBusy(SandboxUnavailable):
    """All sandboxes are taken, and nothing was begun; `retry_after_s` is when one may be free."""

    code = "busy"

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class SessionOver(SandboxError):
    """The session has expired or was closed: its files are gone, and another can be opened."""

    code = "no_session"


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


class ErrorBody(BaseModel):
    """What an error says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    code: str = Field(description="The kind of the error; stable, for programs.")
    message: str = Field(description="What happened, with the value; for people.")
    hint: str = Field(default="", description="What to do about it; empty where nothing is known.")
    request_id: str = Field(
        default="",
        description="The id of the request, as in the X-Request-Id header and the log; empty "
        "outside HTTP.",
    )
    retryable: bool = Field(
        default=False, description="Whether the same request may succeed later."
    )


class Problem(BaseModel):
    """The body of every 4xx and 5xx answer of the sidecar and the shim."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    error: ErrorBody = Field(description="What went wrong.")

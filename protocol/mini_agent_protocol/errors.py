"""Errors that both ends of the sandbox API raise, as one tree; the library's own extend it."""


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


class Unauthorized(MiniAgentError):
    """The token is missing or wrong."""

    code = "unauthorized"


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

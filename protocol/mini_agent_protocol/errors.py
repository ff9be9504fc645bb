"""The errors of the sandbox API, for both of its ends; the library extends the tree."""


class MiniAgentError(Exception):
    """Root of the tree: `message` says what happened, `hint` what to do about it."""

    code = "error"
    retryable = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class BadRequest(MiniAgentError):
    """The request cannot be executed; `field` names what to change."""

    code = "bad_request"

    def __init__(self, message: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class Unauthorized(MiniAgentError):
    """The token is missing or wrong."""

    code = "unauthorized"


class SandboxError(MiniAgentError):
    """A snippet could not be executed; a program that ran and failed is an `Execution`."""

    code = "sandbox_error"


class SandboxUnavailable(SandboxError):
    """The sidecar or its engine is unreachable or busy; the same call may succeed later."""

    code = "sandbox_unavailable"
    retryable = True


class SandboxBusy(SandboxUnavailable):
    """All sandboxes are in use, and nothing was started; retry after `retry_after_s` seconds."""

    code = "busy"

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float = 1.0) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s


class SessionOver(SandboxError):
    """The session has expired or was closed; its files are deleted, and another can be opened."""

    code = "no_session"

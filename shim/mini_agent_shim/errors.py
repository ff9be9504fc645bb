"""What the shim answers with an error of its own."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent.errors import MiniAgentError


class AccessDenied(MiniAgentError):
    """The request may not pass the door; `status` is 401 or 403."""

    def __init__(self, status: HTTPStatus, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = status.phrase.lower()


class RunNotFound(MiniAgentError):
    """There is no run of this id that the caller may see."""

    code = "no_such_run"


class NotFound(MiniAgentError):
    """What was named is not there; `code` says of what kind it is."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class IdempotencyKeyReused(MiniAgentError):
    """An Idempotency-Key stands for one request, and this is another."""

    code = "idempotency_key_reused"


class RunWithoutResult(MiniAgentError):
    """The run that was asked for again has ended without a result, and is not done twice."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, hint="a new Idempotency-Key begins a new run")
        self.code = code


class TooManyRequests(MiniAgentError):
    """A quota or a rate is used up; `retry_after_s` is when it may go on."""

    retryable = True

    def __init__(self, code: str, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.retry_after_s = retry_after_s


class RunLogUnavailable(MiniAgentError):
    """The run log cannot be written, and a run that leaves no trace is not begun."""

    code = "run_log_unavailable"
    retryable = True


class ShuttingDown(MiniAgentError):
    """The shim is about to stop; nothing is begun any more."""

    code = "shutting_down"
    retryable = True

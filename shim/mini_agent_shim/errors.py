"""Errors of the shim, beside those of the library and the protocol."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent.errors import MiniAgentError


class AccessDenied(MiniAgentError):
    """The caller may not send this request; `status` is 401 or 403."""

    def __init__(self, status: HTTPStatus, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = status.phrase.lower()


class RunNotFound(MiniAgentError):
    """There is no run of this id that the caller may see."""

    code = "no_such_run"


class NotFound(MiniAgentError):
    """The named thing does not exist; `code` says which kind of thing."""

    def __init__(self, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class IdempotencyKeyReused(MiniAgentError):
    """The Idempotency-Key was used for another request before."""

    code = "idempotency_key_reused"


class RunWithoutResult(MiniAgentError):
    """The repeated run ended without a result, and is not executed twice."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message, hint="a new Idempotency-Key begins a new run")
        self.code = code


class TooManyRequests(MiniAgentError):
    """A quota or a rate limit is exhausted; `retry_after_s` is when the request may be repeated."""

    retryable = True

    def __init__(self, code: str, message: str, *, retry_after_s: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.retry_after_s = retry_after_s


class RunLogUnavailable(MiniAgentError):
    """The run log cannot be written; a run without a log is not started."""

    code = "run_log_unavailable"
    retryable = True


class ShuttingDown(MiniAgentError):
    """The shim is stopping; no run is started any more."""

    code = "shutting_down"
    retryable = True

"""What can go wrong here and nowhere else in the project, as leaves of its tree of errors."""

from __future__ import annotations

from mini_agent.errors import BadRequest, MiniAgentError, SandboxError, SandboxUnavailable


class RefusedRequest(MiniAgentError):
    """A request that is not even one: `status` is the HTTP status that says so."""

    code = "invalid_request"

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class InvalidSnippet(BadRequest):
    """The request is JSON but not a snippet."""

    code = "invalid_request"


class Busy(SandboxUnavailable):
    """All sandboxes are taken and the queue is full."""

    code = "busy"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, hint=f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class EngineGone(SandboxUnavailable):
    """The engine does not answer."""

    code = "engine_unavailable"


class EngineRefused(SandboxError):
    """The engine answered no: `status` is its HTTP status."""

    code = "engine_refused"

    def __init__(self, call: str, status: int, said: str) -> None:
        super().__init__(f"the engine refused to {call}: {said}")
        self.status = status


class NotReady(SandboxUnavailable):
    """Something has to be put right before snippets can run; the hint says what."""

    code = "not_ready"


class RunnerLost(SandboxError):
    """The runner in a sandbox stopped talking, or talked nonsense."""

    code = "sandbox_lost"
    retryable = True

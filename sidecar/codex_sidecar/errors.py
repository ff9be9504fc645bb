"""The errors of the sidecar, as leaves of the project's tree of errors."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent_protocol.errors import BadRequest, MiniAgentError, SandboxError, SandboxUnavailable


class RefusedRequest(MiniAgentError):
    """A request that is not well-formed; `status` is the HTTP status of the answer."""

    code = "invalid_request"

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class RefusedCall(RefusedRequest):
    """A well-formed call that cannot be carried out; `status` and `code` say why."""

    def __init__(self, status: int, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(status, message, hint=hint)
        self.code = code


class SessionNotFound(RefusedCall):
    """No session has this id, or it has ended."""

    def __init__(self, session_id: str) -> None:
        shown = session_id if len(session_id) <= 64 else f"{session_id[:64]}..."
        super().__init__(
            HTTPStatus.NOT_FOUND,
            "no_session",
            f"there is no session {shown!r}",
            hint="it has expired or was closed; POST /v1/sessions opens another",
        )


class SessionBusy(RefusedCall):
    """As many calls as may wait for one session are waiting."""

    retryable = True

    def __init__(self, waiting: int) -> None:
        super().__init__(
            HTTPStatus.CONFLICT,
            "session_busy",
            f"a session does one thing at a time, and {waiting} calls wait for this one already",
            hint="wait for an answer before the next call, or open another session",
        )


class InvalidSnippet(BadRequest):
    """The body is JSON but not a valid snippet."""

    code = "invalid_request"


class Busy(SandboxUnavailable):
    """All sandboxes are in use and the queue is full."""

    code = "busy"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, hint=f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class ServiceStopping(SandboxUnavailable):
    """This sidecar is shutting down; the caller tries again later."""

    code = "stopping"

    def __init__(self) -> None:
        super().__init__("the sidecar is being stopped", hint="try again in a few seconds")


class EngineUnavailable(SandboxUnavailable):
    """The engine does not answer."""

    code = "engine_unavailable"


class EngineRefused(SandboxError):
    """The engine answered with an error; `status` is its HTTP status."""

    code = "engine_refused"

    def __init__(self, call: str, status: int, reason: str) -> None:
        super().__init__(f"the engine refused to {call}: {reason}")
        self.status = status


class NotReady(SandboxUnavailable):
    """Something has to be repaired before snippets can run; the hint says what."""

    code = "not_ready"


class RunnerLost(SandboxError):
    """The runner in a sandbox closed its stream or sent something malformed."""

    code = "sandbox_lost"
    retryable = True

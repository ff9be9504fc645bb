"""What can go wrong here and nowhere else in the project, as leaves of its tree of errors."""

from __future__ import annotations

from http import HTTPStatus

from mini_agent_protocol.errors import BadRequest, MiniAgentError, SandboxError, SandboxUnavailable


class RefusedRequest(MiniAgentError):
    """A request that is not even one: `status` is the HTTP status that says so."""

    code = "invalid_request"

    def __init__(self, status: int, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class RefusedCall(RefusedRequest):
    """A call that is well-formed and cannot be done: `status` and `code` say why."""

    def __init__(self, status: int, code: str, message: str, *, hint: str = "") -> None:
        super().__init__(status, message, hint=hint)
        self.code = code


class SessionNotFound(RefusedCall):
    """There is no such session, or no longer."""

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
    """The request is JSON but not a snippet."""

    code = "invalid_request"


class Busy(SandboxUnavailable):
    """All sandboxes are taken and the queue is full."""

    code = "busy"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message, hint=f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class ServiceStopping(SandboxUnavailable):
    """This sidecar is being stopped; another one, or the next, will do it."""

    code = "stopping"

    def __init__(self) -> None:
        super().__init__("the sidecar is being stopped", hint="try again in a few seconds")


class EngineUnavailable(SandboxUnavailable):
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

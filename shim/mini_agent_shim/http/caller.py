"""The caller of a request: the name of the token, visible runs and quota."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits of a caller; None: unlimited."""

    runs_at_once: int | None = None
    runs_a_day: int | None = None
    requests_a_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller with a named token sees its own runs; one without a name sees all."""

    name: str = ""
    quota: Quota = Quota()

    def may_see(self, owner: str) -> bool:
        """Tell whether this caller may see the runs of `owner`."""
        return self.name in ("", owner)


ANONYMOUS: Final = Caller()
# Set by AuthMiddleware; the task of a run inherits it.
CURRENT_CALLER: Final = ContextVar("ASKING", default=ANONYMOUS)


def caller_headers() -> dict[str, str]:
    """Return the header by which the sidecar queues fairly; empty for a caller without a name."""
    name = CURRENT_CALLER.get().name
    return {"X-Caller": name} if name else {}


def get_caller(request: Request) -> Caller:
    """Return the caller that AuthMiddleware has identified."""
    found: object = getattr(request.state, "caller", ANONYMOUS)
    return found if isinstance(found, Caller) else ANONYMOUS

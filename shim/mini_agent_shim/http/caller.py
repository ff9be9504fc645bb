"""Who calls: the name of their token, what they may see, and what they may spend."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Quota:
    """What a caller may spend; None: as much as there is."""

    runs_at_once: int | None = None
    runs_a_day: int | None = None
    requests_a_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller with a named token sees their own runs; one without a name sees all."""

    name: str = ""
    quota: Quota = Quota()

    def may_see(self, owner: str) -> bool:
        """Whether a run of `owner` is there for this caller."""
        return self.name in ("", owner)


ANONYMOUS: Final = Caller()
# Set where a request comes in; the run that it begins inherits it.
CURRENT_CALLER: Final = ContextVar("ASKING", default=ANONYMOUS)


def caller_headers() -> dict[str, str]:
    """What tells the sidecar whose turn a snippet takes; empty where the caller has no name."""
    name = CURRENT_CALLER.get().name
    return {"X-Caller": name} if name else {}


def get_caller(request: Request) -> Caller:
    """The caller, as the door has found out."""
    found: object = getattr(request.state, "caller", ANONYMOUS)
    return found if isinstance(found, Caller) else ANONYMOUS

"""What the routes use, and who may use it on whose behalf."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from codex_sidecar.api.readiness import Readiness
from codex_sidecar.execution.dispatcher import Dispatcher
from codex_sidecar.http import auth
from codex_sidecar.sessions.registry import Sessions
from mini_agent_protocol.errors import BadRequest

CALLER: Final = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Service:
    """One for an application's life."""

    dispatcher: Dispatcher
    sessions: Sessions
    readiness: Readiness
    token: str


def service_of(request: Request) -> Service:
    """The service, for whoever asks."""
    service: Service = request.app.state.service
    return service


def admitted(request: Request) -> Service:
    """The service, for whoever brings the token; `Unauthorized` otherwise."""
    service = service_of(request)
    auth.require(service.token, request.headers.get("authorization", ""))
    return service


def caller_of(request: Request) -> str:
    """Whose turn a request takes: who it says, else where it comes from."""
    named = request.headers.get("x-caller")
    if named is None:
        return request.client.host if request.client else ""
    if not CALLER.fullmatch(named):
        raise BadRequest("X-Caller is not 1 to 64 printable ASCII characters", field="X-Caller")
    return named

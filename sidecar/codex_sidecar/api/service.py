"""What the routes use, and the authentication and the caller of a request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from codex_sidecar.api.readiness import ReadinessGate
from codex_sidecar.execution.dispatcher import Dispatcher
from codex_sidecar.http import auth
from codex_sidecar.sessions.registry import SessionRegistry
from mini_agent_protocol.errors import BadRequest

CALLER_PATTERN: Final = re.compile(r"[!-~]{1,64}")


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes use; one for the application's lifetime."""

    dispatcher: Dispatcher
    sessions: SessionRegistry
    readiness: ReadinessGate
    token: str


def get_service(request: Request) -> Service:
    """Return the service, without authentication."""
    service: Service = request.app.state.service
    return service


def authenticate(request: Request) -> Service:
    """Return the service; raises `Unauthorized` unless the request has the token."""
    service = get_service(request)
    auth.require_bearer(service.token, request.headers.get("authorization", ""))
    return service


def read_caller(request: Request) -> str:
    """Return the caller in whose name the request queues: X-Caller, else the client's address."""
    named = request.headers.get("x-caller")
    if named is None:
        return request.client.host if request.client else ""
    if not CALLER_PATTERN.fullmatch(named):
        raise BadRequest("X-Caller is not 1 to 64 printable ASCII characters", field="X-Caller")
    return named

"""Who may call the shim: the right Host, no foreign page (Origin), and the token if one is set."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mini_agent.errors import ErrorBody
from mini_agent_shim.problems import problem

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
WITHOUT_TOKEN: Final = ("/healthz", "/ready")


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules of the door: names the shim answers to, and the token (empty: none is asked).

    `called` and `variable` are its own name and its token's variable, for whoever is turned away.
    """

    names: frozenset[str]
    token: str = ""
    called: str = "shim"
    variable: str = "MINI_AGENT_SHIM_TOKEN"

    def objection(self, scope: Scope) -> tuple[HTTPStatus, ErrorBody] | None:
        """Why a request may not pass, or None."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        own_address, _ = scope.get("server") or ("", None)
        if _hostname(f"//{host}") not in self.names | {own_address}:
            return _forbidden(
                f"Host {host!r} is not a name of this {self.called}",
                "add it to MINI_AGENT_ALLOWED_HOSTS if it is",
            )
        origin = headers.get("origin")
        if origin is not None and not _is_own_page(origin, host):
            return _forbidden(
                f"a page of {origin!r} may not call this {self.called}",
                "call it from a program instead",
            )
        if self.token and scope["path"] not in WITHOUT_TOKEN and not self._knows(headers):
            return _unauthorized(self.variable)
        return None

    def _knows(self, headers: Headers) -> bool:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(token.strip().encode(), self.token.encode())
        return scheme.lower() == "bearer" and same


class Door:
    """Lets a request through to the app, or answers why not."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self.app = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        objection = self.admission.objection(scope)
        if objection is None:
            await self.app(scope, receive, send)
        else:
            await problem(*objection)(scope, receive, send)


def names_of_this_host(more: Iterable[str]) -> frozenset[str]:
    """Every name a caller may use for this machine or container, in lower case."""
    return frozenset({*LOOPBACK_NAMES, socket.gethostname().lower(), *more})


def _is_own_page(origin: str, host: str) -> bool:
    name = _hostname(origin)
    return name != "" and (urlsplit(origin).netloc == host or name in LOOPBACK_NAMES)


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _forbidden(message: str, hint: str) -> tuple[HTTPStatus, ErrorBody]:
    return HTTPStatus.FORBIDDEN, ErrorBody(code="forbidden", message=message, hint=hint)


def _unauthorized(variable: str) -> tuple[HTTPStatus, ErrorBody]:
    return HTTPStatus.UNAUTHORIZED, ErrorBody(
        code="unauthorized",
        message="the token is missing or wrong",
        hint=f"send `Authorization: Bearer TOKEN`; {variable} holds it",
    )

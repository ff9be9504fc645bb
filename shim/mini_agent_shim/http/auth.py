"""Who may call: the right Host, no foreign page (Origin), a token where one is asked for."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, NoReturn
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from mini_agent.errors import MiniAgentError
from mini_agent_shim.errors import TooMany, TurnedAway
from mini_agent_shim.http.caller import ASKING, Caller
from mini_agent_shim.http.problems import answer_to
from mini_agent_shim.http.rates import Rates
from mini_agent_shim.http.tokens import Tokens

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
WITHOUT_TOKEN: Final = frozenset({"/healthz", "/ready"})
WRONG_TOKENS_A_MINUTE: Final = 30
NO_TOKENS: Final = Tokens("", {})


@dataclass(frozen=True, slots=True)
class Admission:
    """The rules of the door: names it answers to, and its tokens (none: none is asked for).

    `called` and `variable` are its own name and its token's variable, for whoever is turned away;
    `without_token` are the paths that everybody may have, by which nothing is told of a run.
    """

    names: frozenset[str]
    tokens: Tokens = NO_TOKENS
    called: str = "shim"
    variable: str = "MINI_AGENT_SHIM_TOKEN"
    without_token: frozenset[str] = WITHOUT_TOKEN
    rates: Rates = field(default_factory=Rates)

    def admitted(self, scope: Scope) -> Caller:
        """Who calls; `TurnedAway` or `TooMany` where the request may not pass."""
        headers = Headers(scope=scope)
        self._require_own_name(scope, headers)
        if not self.tokens or scope["path"] in self.without_token:
            return Caller()
        token = _token_in(headers)
        caller = self.tokens.caller(token)
        if caller is None:
            self._turn_away(scope, token)
        elif a_minute := caller.quota.requests_a_minute:
            self._count(f"token {caller.name}", a_minute, f"the token {caller.name!r}")
        return caller or Caller()

    def _require_own_name(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        own_address, _ = scope.get("server") or ("", None)
        if _hostname(f"//{host}") not in self.names | {own_address}:
            raise TurnedAway(
                HTTPStatus.FORBIDDEN,
                f"Host {host!r} is not a name of this {self.called}",
                hint="add it to MINI_AGENT_ALLOWED_HOSTS if it is",
            )
        origin = headers.get("origin")
        if origin is not None and not _is_own_page(origin, host):
            raise TurnedAway(
                HTTPStatus.FORBIDDEN,
                f"a page of {origin!r} may not call this {self.called}",
                hint="call it from a program instead",
            )

    def _turn_away(self, scope: Scope, token: str) -> NoReturn:
        address, _ = scope.get("client") or ("", None)
        # Who sends none, as a page does before its user has typed one, guesses nothing.
        if token:
            self._count(f"from {address}", WRONG_TOKENS_A_MINUTE, "this address, with wrong tokens")
        raise TurnedAway(
            HTTPStatus.UNAUTHORIZED,
            "the token is missing or wrong",
            hint=f"send `Authorization: Bearer TOKEN`; {self.variable} holds it",
        )

    def _count(self, name: str, a_minute: int, who: str) -> None:
        wait_s = self.rates.wait_s(name, a_minute)
        if wait_s:
            said = f"{a_minute} requests a minute are allowed for {who}"
            raise TooMany("rate_limited", said, retry_after_s=wait_s)


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
        try:
            caller = self.admission.admitted(scope)
        except MiniAgentError as objection:
            await answer_to(objection)(scope, receive, send)
        else:
            scope.setdefault("state", {})["caller"] = caller
            ASKING.set(caller)
            await self.app(scope, receive, send)


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


def _token_in(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""

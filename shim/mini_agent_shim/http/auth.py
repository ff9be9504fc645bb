"""Authentication: checks Host, Origin, bearer token and request rate before a request is served.

Named tokens are in a TOML file of digests and quotas, which holds no secret itself:

[ci]
sha256 = "..."            # printf %s "$TOKEN" | sha256sum
runs_at_once = 4
runs_a_day = 500
requests_a_minute = 120
"""

from __future__ import annotations

import hmac
import socket
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Annotated, Final, NoReturn
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from mini_agent.errors import MiniAgentError, NotConfigured
from mini_agent_shim.errors import AccessDenied, TooManyRequests
from mini_agent_shim.http.problems import respond_to_error


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


FILE_HINT = (
    'each is a table, [name], with sha256 = "the digest of the token, 64 hexadecimal digits"'
)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
Count = Annotated[int, Field(ge=1)]
MAX_NAMES: Final = 10_000
LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
PUBLIC_PATHS: Final = frozenset({"/healthz", "/ready"})
MAX_WRONG_TOKENS_PER_MINUTE: Final = 30


class NamedToken(BaseModel):
    """One token of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$", to_lower=True)] = Field(
        description="The SHA-256 digest of the token, 64 hexadecimal digits."
    )
    runs_at_once: Count | None = Field(
        default=None, description="Runs of the token at the same time; null for no bound."
    )
    runs_a_day: Count | None = Field(
        default=None, description="Runs of the token within a day; null for no bound."
    )
    requests_a_minute: Count | None = Field(
        default=None, description="Requests with the token within a minute; null for no bound."
    )

    @property
    def quota(self) -> Quota:
        """The limits of its callers."""
        return Quota(self.runs_at_once, self.runs_a_day, self.requests_a_minute)


class ApiTokens:
    """All accepted tokens; the admin token, which has no name, sees all runs."""

    def __init__(self, admin_token: str, named_tokens: Mapping[str, NamedToken]) -> None:
        self._callers = {
            each.sha256: Caller(name, each.quota) for name, each in named_tokens.items()
        }
        if admin_token:
            self._callers[_digest(admin_token)] = Caller()

    def __bool__(self) -> bool:
        """Tell whether any token is configured."""
        return bool(self._callers)

    def find_caller(self, token: str) -> Caller | None:
        """Return the token's caller; compares every digest, so timing reveals none."""
        presented, found = _digest(token), None
        for digest, caller in self._callers.items():
            if hmac.compare_digest(presented, digest):
                found = caller
        return found


def read_tokens(file: Path | None) -> dict[str, NamedToken]:
    """Return the file's tokens by name; raises `NotConfigured` with what is wrong in the file."""
    if file is None:
        return {}
    try:
        tables = tomllib.loads(file.read_text())
        named = TypeAdapter(dict[Name, NamedToken]).validate_python(tables)
    except OSError as unreadable:
        raise _invalid_file(file, f"cannot be read: {unreadable.strerror}") from unreadable
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as odd:
        raise _invalid_file(file, f"is no TOML: {odd}") from odd
    except ValidationError as wrong:
        first = wrong.errors()[0]
        where = ".".join(str(step) for step in first["loc"] if step != "[key]")
        raise _invalid_file(file, f"{where}: {first['msg']}") from None
    if not named:
        raise _invalid_file(file, "names no token")
    if len({each.sha256 for each in named.values()}) < len(named):
        raise _invalid_file(file, "has one digest under two names")
    return named


def _invalid_file(file: Path, what: str) -> NotConfigured:
    return NotConfigured(f"MINI_AGENT_API_TOKENS_FILE {file}: {what}", hint=FILE_HINT)


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


class RateLimiter:
    """Token buckets by name; past `MAX_NAMES` the least recently used is dropped."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, name: str, a_minute: int) -> float:
        """Count one request and return 0, or return in how many seconds it is allowed."""
        now = self._clock()
        left, counted = self._left.pop(name, (float(a_minute), now))
        left = min(a_minute, left + (now - counted) * a_minute / 60)
        allowed = left >= 1
        self._left[name] = (left - 1 if allowed else left, now)
        if len(self._left) > MAX_NAMES:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) * 60 / a_minute


NO_TOKENS: Final = ApiTokens("", {})


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """Which requests are served: accepted Host names, and tokens (without any, all callers).

    `service_name` and `variable`, the token's variable, are named in refusals; `public_paths`
    need no token and reveal nothing of a run.
    """

    names: frozenset[str]
    tokens: ApiTokens = NO_TOKENS
    service_name: str = "shim"
    variable: str = "MINI_AGENT_SHIM_TOKEN"
    public_paths: frozenset[str] = PUBLIC_PATHS
    rates: RateLimiter = field(default_factory=RateLimiter)
    origins: frozenset[str] = frozenset()

    def authorize(self, scope: Scope) -> Caller:
        """Return the caller; raises `AccessDenied` or `TooManyRequests`."""
        headers = Headers(scope=scope)
        self._require_own_name(scope, headers)
        if not self.tokens or scope["path"] in self.public_paths:
            return Caller()
        token = _bearer_token(headers)
        caller = self.tokens.find_caller(token)
        if caller is None:
            self._deny_token(scope, token)
        elif a_minute := caller.quota.requests_a_minute:
            self._count(f"token {caller.name}", a_minute, f"the token {caller.name!r}")
        return caller or Caller()

    def _require_own_name(self, scope: Scope, headers: Headers) -> None:
        host = headers.get("host", "")
        own_address, _ = scope.get("server") or ("", None)
        if _hostname(f"//{host}") not in self.names | {own_address}:
            raise AccessDenied(
                HTTPStatus.FORBIDDEN,
                f"Host {host!r} is not a name of this {self.service_name}",
                hint="add it to MINI_AGENT_ALLOWED_HOSTS if it is",
            )
        origin = headers.get("origin")
        known = origin is None or origin.lower() in self.origins
        if not known and not _is_own_page(str(origin), host):
            raise AccessDenied(
                HTTPStatus.FORBIDDEN,
                f"a page of {origin!r} may not call this {self.service_name}",
                hint="add it to MINI_AGENT_ALLOWED_ORIGINS, or call it from a program",
            )

    def _deny_token(self, scope: Scope, token: str) -> NoReturn:
        address, _ = scope.get("client") or ("", None)
        # A request without a token, such as a page's before sign-in, is no guess.
        if token:
            self._count(
                f"from {address}", MAX_WRONG_TOKENS_PER_MINUTE, "this address, with wrong tokens"
            )
        raise AccessDenied(
            HTTPStatus.UNAUTHORIZED,
            "the token is missing or wrong",
            hint=f"send `Authorization: Bearer TOKEN`; {self.variable} holds it",
        )

    def _count(self, name: str, a_minute: int, who: str) -> None:
        wait_s = self.rates.wait_s(name, a_minute)
        if wait_s:
            message = f"{a_minute} requests a minute are allowed for {who}"
            raise TooManyRequests("rate_limited", message, retry_after_s=wait_s)


class AuthMiddleware:
    """Serves authorized requests, and answers others with the reason."""

    def __init__(self, app: ASGIApp, policy: AccessPolicy) -> None:
        self.app = app
        self.policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            caller = self.policy.authorize(scope)
        except MiniAgentError as denied:
            await respond_to_error(denied)(scope, receive, send)
        else:
            scope.setdefault("state", {})["caller"] = caller
            CURRENT_CALLER.set(caller)
            await self.app(scope, receive, send)


class AllowedOriginsMiddleware:
    """Tells the browsers of pages at `origins` that they may call; others are not told."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self.app = app
        self.origins = frozenset(origins)
        self.answering = CORSMiddleware(
            app,
            allow_origins=[*self.origins],
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["*"],
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI request."""
        is_http = scope["type"] == "http"
        is_allowed = is_http and Headers(scope=scope).get("origin") in self.origins
        await (self.answering if is_allowed else self.app)(scope, receive, send)


def own_host_names(more: Iterable[str]) -> frozenset[str]:
    """Return every Host name of this machine or container, in lower case."""
    return frozenset({*LOOPBACK_NAMES, socket.gethostname().lower(), *more})


def _is_own_page(origin: str, host: str) -> bool:
    name = _hostname(origin)
    return name != "" and (urlsplit(origin).netloc == host or name in LOOPBACK_NAMES)


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _bearer_token(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""

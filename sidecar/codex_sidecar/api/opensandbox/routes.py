"""The routes of OpenSandbox that LiteLLM's code interpreter uses: each sandbox is a session."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from weakref import WeakKeyDictionary

from fastapi import APIRouter, Request, Response

from codex_sidecar.api.openapi import (
    JSON_BODY,
    STARTS_SANDBOX,
    described,
    json_body,
    opened_by,
    problems,
)
from codex_sidecar.api.opensandbox.events import OpenSandboxWording
from codex_sidecar.api.opensandbox.models import (
    Code,
    Creation,
    Endpoint,
    Opened,
    limits_between,
)
from codex_sidecar.api.service import Service, caller_of, service_of
from codex_sidecar.errors import NoSession, RefusedCall
from codex_sidecar.http.auth import (
    SANDBOX_KEY,
    key_of,
    require_key,
    require_token,
)
from codex_sidecar.http.event_stream import streamed
from codex_sidecar.http.request_body import parsed_body
from codex_sidecar.sessions.session import Session
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.workspace import SessionRequest

SANDBOX: Final = "/v1/sandboxes/{sandbox_id}"
# The port that OpenSandbox's own agent listens on in each sandbox. Here it is a name and no port.
EXECD_PORT: Final = 44_772
# Code of a code interpreter can name no limit, so it gets more time than other snippets.
CALL_S: Final = 60.0

_KEYED: Final = opened_by("opensandbox", "token")

router: Final = APIRouter(tags=["OpenSandbox"])


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of a session as a sandbox of OpenSandbox."""

    asked: Creation
    at: datetime
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))


# What is known of a session goes when it does, however it ends.
_MADE: Final = WeakKeyDictionary[Session, Made]()


@router.post(
    "/v1/sandboxes",
    status_code=HTTPStatus.ACCEPTED,
    responses=problems(*JSON_BODY, 422, *STARTS_SANDBOX),
    openapi_extra=described(json_body("Creation"), _KEYED),
    summary="Make a sandbox",
)
async def create(request: Request) -> Opened:
    """It takes code at once; it is a session, with the session's limits."""
    service = _admitted(request)
    asked = await parsed_body(request, Creation)
    limits = limits_between(asked.requests, asked.limits, min(CALL_S, asked.timeout))
    session = await service.sessions.open(SessionRequest(ttl_s=asked.timeout, limits=limits))
    _MADE[session] = Made(asked, datetime.now(UTC))
    return _opened(session)


@router.get(SANDBOX, responses=problems(404), openapi_extra=_KEYED, summary="How a sandbox is")
async def sandbox(request: Request, sandbox_id: str) -> Opened:
    """Asking does not make it last longer."""
    return _opened(_found(_admitted(request), sandbox_id))


@router.delete(
    SANDBOX,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(404, 500, 503),
    openapi_extra=_KEYED,
    summary="End a sandbox",
)
async def delete(request: Request, sandbox_id: str) -> None:
    """Ends whatever runs in it; nothing of it is left."""
    service = _admitted(request)
    await service.sessions.close(_found(service, sandbox_id).id)


@router.get(
    SANDBOX + "/endpoints/{port}",
    responses=problems(404),
    openapi_extra=_KEYED,
    summary="Where a sandbox's code is sent",
)
async def endpoint(request: Request, sandbox_id: str, port: str) -> Endpoint:
    """This sidecar, as the caller names it, with a key for this sandbox alone."""
    service = _admitted(request)
    found = _found(service, sandbox_id)
    if port != str(EXECD_PORT):
        raise RefusedCall(
            HTTPStatus.NOT_FOUND,
            "no_port",
            f"a sandbox without a network listens on no port {port[:16]!r}",
            hint=f"{EXECD_PORT} stands for the one that takes code",
        )
    where = f"{request.url.netloc}{SANDBOX.format(sandbox_id=found.id)}/execd"
    return Endpoint(endpoint=where, headers={SANDBOX_KEY: key_of(service.token, found.id)})


@router.post(
    SANDBOX + "/execd/code",
    response_class=Response,
    responses=problems(*JSON_BODY, 404, 409, 422, *STARTS_SANDBOX)
    | {200: {"content": {"text/event-stream": {}}}},
    openapi_extra=described(json_body("Code"), opened_by("one_sandbox", "token")),
    summary="Run code in a sandbox",
)
async def run(request: Request, sandbox_id: str) -> Response:
    """Answers with events as the code runs. Variables of python stay, and all files."""
    service = service_of(request)
    require_key(service.token, sandbox_id, request)
    found = _found(service, sandbox_id)
    caller, code = caller_of(request), await parsed_body(request, Code)
    snippet = _snippet(code, _MADE[found].asked)
    return streamed(
        request,
        lambda listener: found.run(snippet, caller=caller, listener=listener),
        OpenSandboxWording(next(_MADE[found].numbers)),
    )


def _admitted(request: Request) -> Service:
    service = service_of(request)
    require_token(service.token, request)
    return service


def _found(service: Service, sandbox_id: str) -> Session:
    try:
        found = service.sessions.find(sandbox_id)
        if found in _MADE:
            return found
    except NoSession:
        pass
    raise RefusedCall(
        HTTPStatus.NOT_FOUND,
        "no_sandbox",
        f"there is no sandbox {sandbox_id[:64]!r}",
        hint="it has expired or was ended; POST /v1/sandboxes makes another",
    )


def _opened(session: Session) -> Opened:
    made = _MADE[session]
    return Opened(
        id=session.id,
        metadata=made.asked.metadata,
        created_at=made.at,
        expires_at=session.expires_at,
    )


def _snippet(code: Code, asked: Creation) -> Snippet:
    language = code.context.language
    return Snippet(language=language, code=code.code, env=asked.env, stateful=language == "python")

"""OpenSandbox's routes that LiteLLM's code interpreter uses: each sandbox is a session."""

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
    JSON_BODY_ERRORS,
    SANDBOX_ERRORS,
    json_request_body,
    merge_extras,
    problem_responses,
    secured_by,
)
from codex_sidecar.api.opensandbox.events import OpenSandboxEventFormat
from codex_sidecar.api.opensandbox.models import (
    Code,
    Creation,
    Endpoint,
    Opened,
    choose_limits,
)
from codex_sidecar.api.service import Service, get_service, read_caller
from codex_sidecar.errors import RefusedCall, SessionNotFound
from codex_sidecar.http.auth import (
    SANDBOX_KEY_HEADER,
    derive_sandbox_key,
    require_api_key,
    require_sandbox_key,
)
from codex_sidecar.http.event_stream import respond_with_events
from codex_sidecar.http.request_body import read_json
from codex_sidecar.sessions.session import Session
from mini_agent_protocol.snippet import Snippet
from mini_agent_protocol.workspace import SessionRequest

SANDBOX_PATH: Final = "/v1/sandboxes/{sandbox_id}"
# The port of OpenSandbox's agent in each sandbox. Here it is only a name.
EXECD_PORT: Final = 44_772
# A code interpreter's call names no limit, so it gets more time than other snippets.
CODE_TIMEOUT_S: Final = 60.0

_WITH_API_KEY: Final = secured_by("opensandbox", "token")

router: Final = APIRouter(tags=["OpenSandbox"])


@dataclass(frozen=True, slots=True)
class SandboxRecord:
    """What OpenSandbox's API knows of a session beyond the session itself."""

    creation: Creation
    at: datetime
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))


# A record ends with its session, however that ends.
_RECORDS: Final = WeakKeyDictionary[Session, SandboxRecord]()


@router.post(
    "/v1/sandboxes",
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(*JSON_BODY_ERRORS, 422, *SANDBOX_ERRORS),
    openapi_extra=merge_extras(json_request_body("Creation"), _WITH_API_KEY),
    summary="Make a sandbox",
)
async def create(request: Request) -> Opened:
    """Opens a session with these limits; it takes code at once."""
    service = _authenticate(request)
    creation = await read_json(request, Creation)
    limits = choose_limits(
        creation.requests, creation.limits, min(CODE_TIMEOUT_S, creation.timeout)
    )
    session = await service.sessions.open(SessionRequest(ttl_s=creation.timeout, limits=limits))
    _RECORDS[session] = SandboxRecord(creation, datetime.now(UTC))
    return _describe(session)


@router.get(
    SANDBOX_PATH,
    responses=problem_responses(404),
    openapi_extra=_WITH_API_KEY,
    summary="How a sandbox is",
)
async def sandbox(request: Request, sandbox_id: str) -> Opened:
    """Does not extend the sandbox's time."""
    return _describe(_find(_authenticate(request), sandbox_id))


@router.delete(
    SANDBOX_PATH,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(404, 500, 503),
    openapi_extra=_WITH_API_KEY,
    summary="End a sandbox",
)
async def delete(request: Request, sandbox_id: str) -> None:
    """Ends what runs in it and removes its workspace."""
    service = _authenticate(request)
    await service.sessions.close(_find(service, sandbox_id).id)


@router.get(
    SANDBOX_PATH + "/endpoints/{port}",
    responses=problem_responses(404),
    openapi_extra=_WITH_API_KEY,
    summary="Where a sandbox's code is sent",
)
async def endpoint(request: Request, sandbox_id: str, port: str) -> Endpoint:
    """Returns this sidecar's address as the caller names it, with a key for this sandbox alone."""
    service = _authenticate(request)
    session = _find(service, sandbox_id)
    if port != str(EXECD_PORT):
        raise RefusedCall(
            HTTPStatus.NOT_FOUND,
            "no_port",
            f"a sandbox without a network listens on no port {port[:16]!r}",
            hint=f"{EXECD_PORT} stands for the one that takes code",
        )
    where = f"{request.url.netloc}{SANDBOX_PATH.format(sandbox_id=session.id)}/execd"
    return Endpoint(
        endpoint=where, headers={SANDBOX_KEY_HEADER: derive_sandbox_key(service.token, session.id)}
    )


@router.post(
    SANDBOX_PATH + "/execd/code",
    response_class=Response,
    responses=problem_responses(*JSON_BODY_ERRORS, 404, 409, 422, *SANDBOX_ERRORS)
    | {200: {"content": {"text/event-stream": {}}}},
    openapi_extra=merge_extras(json_request_body("Code"), secured_by("one_sandbox", "token")),
    summary="Run code in a sandbox",
)
async def run(request: Request, sandbox_id: str) -> Response:
    """Answers with events as the code runs. Python's variables and all files stay."""
    service = get_service(request)
    require_sandbox_key(service.token, sandbox_id, request)
    session = _find(service, sandbox_id)
    caller, code = read_caller(request), await read_json(request, Code)
    snippet = _build_snippet(code, _RECORDS[session].creation)
    return respond_with_events(
        request,
        lambda listener: session.run(snippet, caller=caller, listener=listener),
        OpenSandboxEventFormat(next(_RECORDS[session].numbers)),
    )


def _authenticate(request: Request) -> Service:
    service = get_service(request)
    require_api_key(service.token, request)
    return service


def _find(service: Service, sandbox_id: str) -> Session:
    try:
        session = service.sessions.find(sandbox_id)
        if session in _RECORDS:
            return session
    except SessionNotFound:
        pass
    raise RefusedCall(
        HTTPStatus.NOT_FOUND,
        "no_sandbox",
        f"there is no sandbox {sandbox_id[:64]!r}",
        hint="it has expired or was ended; POST /v1/sandboxes makes another",
    )


def _describe(session: Session) -> Opened:
    record = _RECORDS[session]
    return Opened(
        id=session.id,
        metadata=record.creation.metadata,
        created_at=record.at,
        expires_at=session.expires_at,
    )


def _build_snippet(code: Code, creation: Creation) -> Snippet:
    language = code.context.language
    return Snippet(
        language=language, code=code.code, env=creation.env, stateful=language == "python"
    )

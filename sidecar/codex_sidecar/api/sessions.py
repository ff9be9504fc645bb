"""The routes of sessions: opened, used for snippets and files, closed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response

from codex_sidecar.api.openapi import (
    CALLER,
    CONTENT_BODY,
    JSON_BODY,
    STARTS_SANDBOX,
    described,
    json_body,
    problems,
    streamed,
)
from codex_sidecar.api.service import admitted, caller_of
from codex_sidecar.http.event_stream import executed
from codex_sidecar.http.request_body import content_of, session_request_of, snippet_of
from codex_sidecar.sessions.session import Session
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.snippet import Snippet, require_plain_path
from mini_agent_protocol.workspace import SessionOpened, WorkspaceFile

SESSION: Final = "/v1/sessions/{session_id}"
FILE: Final = "/v1/sessions/{session_id}/files/{path:path}"

router: Final = APIRouter()


@router.post(
    SESSION + "/execute",
    response_model=Execution,
    responses=problems(*JSON_BODY, 404, 409, 422, *STARTS_SANDBOX) | streamed(),
    openapi_extra=described(json_body("Snippet"), CALLER),
    summary="Run the session's next snippet",
)
async def execute(request: Request, session_id: str) -> Response:
    """Finds the files of those before it. Answers as `/v1/execute` does."""
    found = admitted(request).sessions.find(session_id)
    caller = caller_of(request)
    snippet = await snippet_of(request)
    _require_sense(snippet)
    return await executed(
        request, lambda listener: found.run(snippet, caller=caller, listener=listener)
    )


@router.post(
    "/v1/sessions",
    status_code=HTTPStatus.CREATED,
    responses=problems(*JSON_BODY, 422, *STARTS_SANDBOX),
    openapi_extra=json_body("SessionRequest", required=False),
    summary="Open a session",
)
async def open_session(request: Request) -> SessionOpened:
    """A workspace that outlives a snippet; its sandbox is started when it is first needed."""
    service = admitted(request)
    return _opened(await service.sessions.open(await session_request_of(request)))


@router.get(SESSION, responses=problems(404), summary="When a session expires")
async def session(request: Request, session_id: str) -> SessionOpened:
    """Asking does not make it last longer."""
    return _opened(admitted(request).sessions.find(session_id))


@router.delete(
    SESSION,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(404, 500, 503),
    summary="Close a session",
)
async def close_session(request: Request, session_id: str) -> None:
    """Ends whatever runs in it; nothing of it is left."""
    await admitted(request).sessions.close(session_id)


@router.post(
    SESSION + "/interrupt",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    responses=problems(404),
    summary="Interrupt what runs, as Ctrl-C does",
)
async def interrupt(request: Request, session_id: str) -> Response:
    """Nothing happens where nothing runs."""
    await admitted(request).sessions.find(session_id).interrupt()
    return Response(status_code=HTTPStatus.ACCEPTED)


@router.post(
    SESSION + "/keep",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(404),
    summary="Make a session last longer",
)
async def keep(request: Request, session_id: str) -> None:
    """As a call does that runs something."""
    admitted(request).sessions.find(session_id).keep()


@router.get(
    SESSION + "/files",
    responses=problems(404, 409, 500, 503),
    summary="List the files in the workspace",
)
async def files(request: Request, session_id: str) -> tuple[WorkspaceFile, ...]:
    """The regular files, 10,000 at most."""
    return await admitted(request).sessions.find(session_id).files()


@router.get(
    FILE,
    response_class=Response,
    responses=problems(404, 409, 413, 422, 500, 503)
    | {200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
    summary="Read a file",
)
async def read_file(request: Request, session_id: str, path: str) -> Response:
    """Its bytes, 16 MiB at most."""
    found = _found(request, session_id, path)
    headers = {"X-Content-Type-Options": "nosniff"}
    content = await found.read(path)
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.put(
    FILE,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(*JSON_BODY, 404, 409, 422, *STARTS_SANDBOX),
    openapi_extra=CONTENT_BODY,
    summary="Write a file",
)
async def write_file(request: Request, session_id: str, path: str) -> None:
    """Takes the body as it is, 16 MiB at most; makes the folders that are missing."""
    found = _found(request, session_id, path)
    await found.write(path, await content_of(request))


@router.delete(
    FILE,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(404, 409, 422, 500, 503),
    summary="Delete a file",
)
async def delete_file(request: Request, session_id: str, path: str) -> None:
    """Deletes one file."""
    await _found(request, session_id, path).delete(path)


def _opened(session: Session) -> SessionOpened:
    return SessionOpened(id=session.id, expires_at=session.expires_at)


def _found(request: Request, session_id: str, path: str) -> Session:
    found = admitted(request).sessions.find(session_id)
    try:
        require_plain_path(path)
    except ValueError as wrong:
        raise BadRequest(f"path: {wrong}", field="path") from None
    return found


def _require_sense(snippet: Snippet) -> None:
    if not snippet.stateful:
        return
    if snippet.language != "python":
        raise BadRequest("stateful goes with language 'python' alone", field="stateful")
    if snippet.isolation != "fork":
        raise BadRequest(
            "isolation: a stateful snippet runs in the session's own interpreter", field="isolation"
        )

"""The routes of sessions: open, run snippets, files, close."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import StreamingResponse

from codex_sidecar.api.openapi import (
    BINARY_BODY,
    CALLER_HEADER,
    JSON_BODY_ERRORS,
    SANDBOX_ERRORS,
    event_stream_response,
    json_request_body,
    merge_extras,
    problem_responses,
)
from codex_sidecar.api.service import authenticate, read_caller
from codex_sidecar.http.event_stream import respond
from codex_sidecar.http.request_body import read_session_request, read_snippet, stream_content
from codex_sidecar.sessions.session import Session
from codex_sidecar.sessions.transfers import download, upload
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.snippet import Snippet, normalize_new_path, normalize_path
from mini_agent_protocol.workspace import SessionOpened, WorkspaceFile

SESSION_PATH: Final = "/v1/sessions/{session_id}"
FILE_PATH: Final = "/v1/sessions/{session_id}/files/{path:file_name}"


class FileNameConvertor(PathConvertor):
    """The rest of an address, of whichever characters: a file's name may hold a newline."""

    regex = r"(?s:.*)"


register_url_convertor("file_name", FileNameConvertor())

router: Final = APIRouter()


@router.post(
    SESSION_PATH + "/execute",
    response_model=Execution,
    responses=problem_responses(*JSON_BODY_ERRORS, 404, 409, 422, *SANDBOX_ERRORS)
    | event_stream_response(),
    openapi_extra=merge_extras(json_request_body("Snippet"), CALLER_HEADER),
    summary="Run the session's next snippet",
)
async def execute(request: Request, session_id: str) -> Response:
    """Runs in the session's workspace. Answers as `/v1/execute` does."""
    session = authenticate(request).sessions.find(session_id)
    caller = read_caller(request)
    snippet = await read_snippet(request)
    _validate_stateful(snippet)
    return await respond(
        request, lambda listener: session.run(snippet, caller=caller, listener=listener)
    )


@router.post(
    "/v1/sessions",
    status_code=HTTPStatus.CREATED,
    responses=problem_responses(*JSON_BODY_ERRORS, 422, *SANDBOX_ERRORS),
    openapi_extra=json_request_body("SessionRequest", required=False),
    summary="Open a session",
)
async def open_session(request: Request) -> SessionOpened:
    """Opens a workspace that outlives a snippet; its sandbox is started when first needed."""
    service = authenticate(request)
    return _describe(await service.sessions.open(await read_session_request(request)))


@router.get(SESSION_PATH, responses=problem_responses(404), summary="When a session expires")
async def session(request: Request, session_id: str) -> SessionOpened:
    """Does not extend the session's time."""
    return _describe(authenticate(request).sessions.find(session_id))


@router.delete(
    SESSION_PATH,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(404, 500, 503),
    summary="Close a session",
)
async def close_session(request: Request, session_id: str) -> None:
    """Ends what runs in it and removes its workspace."""
    await authenticate(request).sessions.close(session_id)


@router.post(
    SESSION_PATH + "/interrupt",
    status_code=HTTPStatus.ACCEPTED,
    response_class=Response,
    responses=problem_responses(404),
    summary="Interrupt what runs, as Ctrl-C does",
)
async def interrupt(request: Request, session_id: str) -> Response:
    """Does nothing where nothing runs."""
    await authenticate(request).sessions.find(session_id).interrupt()
    return Response(status_code=HTTPStatus.ACCEPTED)


@router.post(
    SESSION_PATH + "/keep",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(404),
    summary="Make a session last longer",
)
async def keep(request: Request, session_id: str) -> None:
    """Extends the session's time as running a snippet does."""
    authenticate(request).sessions.find(session_id).keep_alive()


@router.get(
    SESSION_PATH + "/files",
    responses=problem_responses(404, 409, 500, 503),
    summary="List the files in the workspace",
)
async def files(request: Request, session_id: str) -> tuple[WorkspaceFile, ...]:
    """Lists the regular files, 10,000 at most."""
    return await authenticate(request).sessions.find(session_id).files()


@router.get(
    FILE_PATH,
    response_class=Response,
    responses=problem_responses(404, 409, 413, 422, 500, 503)
    | {200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
    summary="Read a file",
)
async def read_file(request: Request, session_id: str, path: str) -> Response:
    """Returns the file's bytes, 64 MiB at most."""
    session = authenticate(request).sessions.find(session_id)
    headers = {"X-Content-Type-Options": "nosniff"}
    known = _normalize(path)
    first = await session.read(known)
    headers["Content-Length"] = str(first.size)
    content = download(session, known, first)
    return StreamingResponse(content, media_type="application/octet-stream", headers=headers)


@router.put(
    FILE_PATH,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(*JSON_BODY_ERRORS, 404, 409, 422, *SANDBOX_ERRORS),
    openapi_extra=BINARY_BODY,
    summary="Write a file",
)
async def write_file(request: Request, session_id: str, path: str) -> None:
    """Writes the body as it is, 64 MiB at most; creates missing folders."""
    session = authenticate(request).sessions.find(session_id)
    known = _normalize(path, normalize_new_path)
    await upload(session, known, stream_content(request))


@router.delete(
    FILE_PATH,
    status_code=HTTPStatus.NO_CONTENT,
    responses=problem_responses(404, 409, 422, 500, 503),
    summary="Delete a file",
)
async def delete_file(request: Request, session_id: str, path: str) -> None:
    """Deletes one file."""
    session = authenticate(request).sessions.find(session_id)
    await session.delete(_normalize(path))


def _describe(session: Session) -> SessionOpened:
    return SessionOpened(id=session.id, expires_at=session.expires_at)


def _normalize(path: str, normalize: Callable[[str], str] = normalize_path) -> str:
    try:
        return normalize(path)
    except ValueError as wrong:
        raise BadRequest(f"path: {wrong}", field="path") from None


def _validate_stateful(snippet: Snippet) -> None:
    if not snippet.stateful:
        return
    if snippet.language != "python":
        raise BadRequest("stateful goes with language 'python' alone", field="stateful")
    if snippet.isolation != "fork":
        raise BadRequest(
            "isolation: a stateful snippet runs in the session's own interpreter", field="isolation"
        )

"""The routes without a session: one snippet, languages, health, metrics and the API's document."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from codex_sidecar import metrics
from codex_sidecar.api.openapi import (
    CALLER_HEADER,
    JSON_BODY_ERRORS,
    SANDBOX_ERRORS,
    build_openapi,
    event_stream_response,
    json_request_body,
    merge_extras,
    problem_responses,
)
from codex_sidecar.api.service import authenticate, get_service, read_caller
from codex_sidecar.http.event_stream import respond
from codex_sidecar.http.request_body import read_snippet
from codex_sidecar.runner.languages import Languages
from mini_agent_protocol.asgi.metrics import MetricsResponse
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.problems import Problem

router: Final = APIRouter()


@router.post(
    "/v1/execute",
    response_model=Execution,
    responses=problem_responses(*JSON_BODY_ERRORS, 422, *SANDBOX_ERRORS) | event_stream_response(),
    openapi_extra=merge_extras(json_request_body("Snippet"), CALLER_HEADER),
    summary="Run one snippet in a fresh sandbox",
)
async def execute(request: Request) -> Response:
    """Answers when the snippet is done; with `Accept: text/event-stream` while it runs."""
    dispatcher, caller = authenticate(request).dispatcher, read_caller(request)
    snippet = await read_snippet(request)
    if snippet.stateful:
        raise BadRequest("stateful: variables are kept in a session alone", field="stateful")
    return await respond(
        request, lambda listener: dispatcher.run(snippet, caller=caller, listener=listener)
    )


@router.get(
    "/v1/languages",
    responses=problem_responses(*SANDBOX_ERRORS),
    summary="What can be run, and with which limits",
)
async def languages(request: Request) -> Languages:
    """Every language, with what its image contains."""
    return await authenticate(request).dispatcher.languages()


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    """This document."""
    authenticate(request)
    return JSONResponse(build_openapi(request.app))


@router.get("/healthz", openapi_extra={"security": []}, summary="This process is alive")
async def healthz() -> dict[str, bool]:
    """Answers as long as the process runs; does not ask the engine."""
    return {"ok": True}


@router.get(
    "/readyz",
    openapi_extra={"security": []},
    responses={503: {"model": Problem}},
    summary="Snippets can run",
)
async def readyz(request: Request) -> dict[str, bool]:
    """Checks the engine, its images and, once, a real sandbox."""
    await get_service(request).readiness.check()
    return {"ok": True}


@router.get(
    "/metrics",
    openapi_extra={"security": []},
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Counts for Prometheus",
)
async def counts() -> Response:
    """Needs no token, as it discloses counts only."""
    return MetricsResponse(metrics.render())

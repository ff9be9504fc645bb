"""The routes that need no session: a snippet in a sandbox of its own, and what there is."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from codex_sidecar import metrics
from codex_sidecar.api.openapi import (
    CALLER,
    JSON_BODY,
    STARTS_SANDBOX,
    describe,
    described,
    json_body,
    problems,
    streamed,
)
from codex_sidecar.api.service import admitted, caller_of, service_of
from codex_sidecar.http.event_stream import executed
from codex_sidecar.http.request_body import snippet_of
from codex_sidecar.runner.about import Languages
from mini_agent_protocol.asgi.metrics import MetricsResponse
from mini_agent_protocol.errors import BadRequest
from mini_agent_protocol.execution import Execution
from mini_agent_protocol.problems import Problem

router: Final = APIRouter()


@router.post(
    "/v1/execute",
    response_model=Execution,
    responses=problems(*JSON_BODY, 422, *STARTS_SANDBOX) | streamed(),
    openapi_extra=described(json_body("Snippet"), CALLER),
    summary="Run one snippet in a fresh sandbox",
)
async def execute(request: Request) -> Response:
    """Answers when the snippet is done; with `Accept: text/event-stream` while it runs."""
    dispatcher, caller = admitted(request).dispatcher, caller_of(request)
    snippet = await snippet_of(request)
    if snippet.stateful:
        raise BadRequest("stateful: variables are kept in a session alone", field="stateful")
    return await executed(
        request, lambda listener: dispatcher.run(snippet, caller=caller, listener=listener)
    )


@router.get(
    "/v1/languages",
    responses=problems(*STARTS_SANDBOX),
    summary="What can be run, and with which limits",
)
async def languages(request: Request) -> Languages:
    """Every language, with what its image says of itself."""
    return await admitted(request).dispatcher.languages()


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    """This description."""
    admitted(request)
    return JSONResponse(describe(request.app))


@router.get("/healthz", openapi_extra={"security": []}, summary="This process is alive")
async def healthz() -> dict[str, bool]:
    """Says nothing of the engine."""
    return {"ok": True}


@router.get(
    "/readyz",
    openapi_extra={"security": []},
    responses={503: {"model": Problem}},
    summary="Snippets can run",
)
async def readyz(request: Request) -> dict[str, bool]:
    """Checked in a real sandbox."""
    await service_of(request).readiness.check()
    return {"ok": True}


@router.get(
    "/metrics",
    openapi_extra={"security": []},
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    summary="Counts for Prometheus",
)
async def counts() -> Response:
    """Needs no token: it tells how many, never who or what."""
    return MetricsResponse(metrics.render())

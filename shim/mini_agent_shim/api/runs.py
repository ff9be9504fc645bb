"""`/agent/run`, `/healthz`, `/ready` and `/metrics`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from mini_agent.errors import MiniAgentError
from mini_agent.remote.schema import AgentRunRequest, AgentRunResponse
from mini_agent_protocol.asgi.disconnect import run_while_connected
from mini_agent_protocol.asgi.metrics import MetricsResponse
from mini_agent_protocol.asgi.problems import error_body
from mini_agent_shim import metrics
from mini_agent_shim.api.openapi import (
    AUTH_PROBLEMS,
    METRICS_RESPONSE,
    PROBLEMS,
    RUN_PROBLEMS,
    STREAM_RESPONSE,
)
from mini_agent_shim.http.auth import get_caller
from mini_agent_shim.http.event_stream import stream_events
from mini_agent_shim.http.problems import respond_with_problem
from mini_agent_shim.runs.registry import RunOrigin
from mini_agent_shim.runs.run_task import RunPlan, RunTask
from mini_agent_shim.runs.schema import RunSummary
from mini_agent_shim.service import RunService, end_unless_idempotent

RUN_ID_HEADER: Final = "X-Run-Id"
REPLAYED_HEADER: Final = "Idempotent-Replayed"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same key with the same request is the same run; it is never done twice.",
    ),
]
ACCEPTED_RESPONSE: Final[dict[int | str, dict[str, object]]] = {
    202: {"model": RunSummary, "description": "With `background`: the run, queued or in progress."}
}


class Health(BaseModel):
    """The shim itself is up; says nothing of models and sandboxes."""

    ok: bool = Field(default=True, description="That the shim answers.")
    version: str = Field(description="The version of the shim.")
    started_at: str = Field(description="When the shim started, in UTC (ISO 8601).")
    uptime_s: float = Field(description="Seconds since it started.")


class Ready(BaseModel):
    """A run can be taken: the sidecar is ready. No model is called."""

    ok: bool = Field(default=True, description="That a run can be taken.")


@dataclass(frozen=True, slots=True)
class RunRoutes:
    """The routes of runs and of health; one per app."""

    service: RunService
    started: float = field(default_factory=time.time)

    def router(self) -> APIRouter:
        """Create the router."""
        router = APIRouter()
        router.add_api_route(
            "/agent/run",
            self.run,
            methods=["POST"],
            response_model=AgentRunResponse,
            responses=RUN_PROBLEMS | STREAM_RESPONSE | ACCEPTED_RESPONSE,
        )
        router.add_api_route("/healthz", self.healthz)
        router.add_api_route(
            "/ready", self.ready, response_model=Ready, responses={503: PROBLEMS[503]}
        )
        router.add_api_route(
            "/metrics",
            self.metrics,
            response_class=Response,
            responses=METRICS_RESPONSE | AUTH_PROBLEMS,
        )
        return router

    async def run(
        self, request: Request, body: AgentRunRequest, key: IdempotencyKey = None
    ) -> Response:
        """Run the agent and return its result, stream its events (`stream`), or return at once with
        the address of the run (`background`).

        Disconnecting cancels the run, unless it is in the background or has an Idempotency-Key.
        """
        origin = RunOrigin(get_caller(request), "agent", key or "")
        plan = self.service.plan_run(body)
        earlier = self.service.runs.find_earlier(plan, origin)
        if earlier is not None:
            return await self._respond_again(request, plan, origin, earlier)
        run = self.service.runs.start(plan, origin)
        run_id = run.recorder.summary.id
        if body.background:
            return _accepted_response(run.recorder.summary, {})
        if body.stream:
            return stream_events(
                run.events(), end_unless_idempotent(run, origin), {RUN_ID_HEADER: run_id}
            )
        return _result_response(
            await self._wait_for_result(request, run, origin), {RUN_ID_HEADER: run_id}
        )

    async def _wait_for_result(
        self, request: Request, run: RunTask, origin: RunOrigin
    ) -> AgentRunResponse:
        async with end_unless_idempotent(run, origin):
            result = await run_while_connected(request.receive, run.result())
        return AgentRunResponse.from_result(result)

    async def _respond_again(
        self, request: Request, plan: RunPlan, origin: RunOrigin, run_id: str
    ) -> Response:
        headers = {RUN_ID_HEADER: run_id, REPLAYED_HEADER: "true"}
        if plan.request.background:
            return _accepted_response(self.service.runs.find(run_id, origin.caller), headers)
        if plan.request.stream:
            return stream_events(self.service.replay_run_events(run_id), headers=headers)
        result = await run_while_connected(request.receive, self.service.replay_result(run_id))
        return _result_response(AgentRunResponse.from_result(result), headers)

    async def healthz(self) -> Health:
        """Return the version and the uptime."""
        return Health(
            version=version("mini-agent"),
            started_at=datetime.fromtimestamp(self.started, UTC).isoformat(timespec="seconds"),
            uptime_s=round(time.time() - self.started, 3),
        )

    async def ready(self) -> Ready | JSONResponse:
        """Tell whether a run can start now: asks the sidecar."""
        try:
            await self.service.sidecar.require_ready()
        except MiniAgentError as away:
            return respond_with_problem(HTTPStatus.SERVICE_UNAVAILABLE, error_body(away))
        return Ready()

    async def metrics(self) -> Response:
        """Return metrics in Prometheus's text format; without content and names of callers."""
        return MetricsResponse(metrics.render())


def _result_response(answer: AgentRunResponse, headers: dict[str, str]) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


def _accepted_response(summary: RunSummary, headers: dict[str, str]) -> Response:
    return Response(
        summary.model_dump_json(),
        status_code=HTTPStatus.ACCEPTED,
        media_type="application/json",
        headers={RUN_ID_HEADER: summary.id, "Location": f"/runs/{summary.id}", **headers},
    )

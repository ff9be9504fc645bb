"""What the shim answers: a run, and whether it is alive and ready."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from mini_agent.errors import MiniAgentError, Problem
from mini_agent.event_stream import events_of
from mini_agent.events import Listener, unheard
from mini_agent.loop import run_agent
from mini_agent.model import Model
from mini_agent.result import AgentResult
from mini_agent.settings import require_model
from mini_agent.tools.quiet import Quiet
from mini_agent.wire import AgentRunRequest, AgentRunResponse
from mini_agent_shim.disconnect import unless_gone
from mini_agent_shim.event_answer import MEDIA_TYPE, EventAnswer
from mini_agent_shim.mcp_servers import McpServers
from mini_agent_shim.problems import body_of, problem
from mini_agent_shim.run_log import logged
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar_line import SidecarLine
from mini_agent_shim.tools import tools_for

PROBLEMS: Final[dict[int | str, dict[str, object]]] = {
    400: {"model": Problem, "description": "The request cannot be carried out; it says why."},
    422: {"model": Problem, "description": "A field has a wrong name, type or range."},
    503: {"model": Problem, "description": "No sandbox to run snippets in; try again later."},
}
STREAMED: Final[dict[int | str, dict[str, object]]] = {
    200: {
        "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        "description": "The finished run; with `stream`, its events as they happen, "
        "`event: KIND` and `data: JSON` each, the last one `stopped`.",
    }
}


class Health(BaseModel):
    """The shim itself is up; says nothing of models and sandboxes."""

    ok: bool = True
    version: str
    started_at: str
    uptime_s: float


class Ready(BaseModel):
    """A run can be taken: the sidecar is ready. No model is asked."""

    ok: bool = True


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes and what they need; one for an app's life."""

    settings: ShimSettings
    line: SidecarLine
    model: Model
    servers: McpServers
    started: float = field(default_factory=time.time)

    def router(self) -> APIRouter:
        """The routes as FastAPI takes them."""
        router = APIRouter()
        router.add_api_route(
            "/agent/run",
            self.run,
            methods=["POST"],
            response_model=AgentRunResponse,
            responses=PROBLEMS | STREAMED,
        )
        router.add_api_route("/healthz", self.healthz)
        router.add_api_route(
            "/ready", self.ready, response_model=Ready, responses={503: PROBLEMS[503]}
        )
        return router

    async def run(self, request: Request, asked: AgentRunRequest) -> AgentRunResponse | EventAnswer:
        """Runs the agent until it has an answer, or tells it event by event (`stream`).

        Hanging up cancels the run.
        """
        config = asked.config(require_model(asked.model, self.settings))

        async def run(listener: Listener) -> AgentResult:
            async with tools_for(asked, self.settings, self.line, self.servers) as invoker:
                used = invoker if asked.stream else Quiet(invoker)
                return await run_agent(asked.messages, used, config, self.model, logged(listener))

        if asked.stream:
            return EventAnswer(events_of(run))
        return AgentRunResponse.of_result(await unless_gone(request.receive, run(unheard)))

    async def healthz(self) -> Health:
        """Whether the shim is alive."""
        return Health(
            version=version("mini-agent"),
            started_at=datetime.fromtimestamp(self.started, UTC).isoformat(timespec="seconds"),
            uptime_s=round(time.time() - self.started, 3),
        )

    async def ready(self) -> Ready | JSONResponse:
        """Whether a run can be taken now."""
        try:
            await self.line.require_ready()
        except MiniAgentError as away:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, body_of(away))
        return Ready()

"""The service behind the routes: plans runs, opens their tools and replays stored results."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from mini_agent.agent.loop import run_agent
from mini_agent.agent.tool_backends import InvokerContext, ToolSources, open_tools
from mini_agent.errors import BadRequest
from mini_agent.events import Event, Listener
from mini_agent.model import Model
from mini_agent.remote.schema import AgentRunRequest, Backend, split_tool_backend
from mini_agent.result import AgentResult
from mini_agent.settings import require_model
from mini_agent.tools.wrappers import BufferedInvoker
from mini_agent_shim.errors import RunWithoutResult
from mini_agent_shim.mcp.servers import McpServers
from mini_agent_shim.runs.registry import RunOrigin, RunRegistry
from mini_agent_shim.runs.replay import read_run_record, replay_events
from mini_agent_shim.runs.run_task import RunPlan, RunTask, end_on_disconnect
from mini_agent_shim.settings import ShimSettings
from mini_agent_shim.sidecar import SidecarConnection


def open_tool_backend(
    request: AgentRunRequest,
    settings: ShimSettings,
    sidecar: SidecarConnection,
    servers: McpServers,
) -> InvokerContext:
    """Open the tools of the request's `tool_backend`, where `auto` is the sidecar."""
    places = [_resolve_place(place) for place in split_tool_backend(request.tool_backend)]
    sources = ToolSources(
        request, settings, lambda: nullcontext(sidecar.client()), servers.open_tools
    )
    return open_tools(places, sources)


def _resolve_place(place: Backend) -> Backend:
    if place == "docker":
        raise BadRequest(
            "tool_backend 'docker' is not available in the shim",
            field="tool_backend",
            hint="there is auto (the sidecar), sidecar, local, http, mcp, research and echo",
        )
    return "sidecar" if place == "auto" else place


@dataclass(frozen=True, slots=True)
class RunService:
    """Holds all that a run needs; one per app."""

    settings: ShimSettings
    sidecar: SidecarConnection
    servers: McpServers
    model: Model
    runs: RunRegistry

    def plan_run(self, request: AgentRunRequest) -> RunPlan:
        """Plan the run of a request; raises `BadRequest` for a request that cannot be executed."""
        if request.stream and request.background:
            raise BadRequest(
                "stream and background exclude each other",
                field="background",
                hint="GET /runs/ID/events tells what happens in a run in the background",
            )
        config = request.config(require_model(request.model, self.settings))
        # Streaming a tool's output costs more than reading it at once, so only a reader starts it.
        is_followed = request.stream or request.background

        async def work(listener: Listener) -> AgentResult:
            async with open_tool_backend(
                request, self.settings, self.sidecar, self.servers
            ) as invoker:
                used = invoker if is_followed else BufferedInvoker(invoker)
                return await run_agent(request.messages, used, config, self.model, listener)

        return RunPlan(request, config.model, work)

    async def replay_result(self, run_id: str) -> AgentResult:
        """Return the result of an earlier run, once it has one; raises `RunWithoutResult`."""
        record = await read_run_record(self.runs.follow_lines(run_id))
        if record.result is None:
            code = record.error.code if record.error else "interrupted"
            raise RunWithoutResult(code, f"run {run_id} ended without a result: {code}")
        return record.result

    def replay_run_events(self, run_id: str) -> AsyncGenerator[Event, None]:
        """Yield the events of an earlier run, from the first on."""
        return replay_events(self.runs.follow_lines(run_id))


def end_unless_idempotent(run: RunTask, origin: RunOrigin) -> AbstractAsyncContextManager[None]:
    """End the run when its caller disconnects, unless an Idempotency-Key lets them return."""
    return nullcontext() if origin.key else end_on_disconnect(run)

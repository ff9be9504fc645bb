"""A run of the provider: in this process, or in the shim."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from mini_agent.agent.loop import run_agent
from mini_agent.agent.run import iterate_events
from mini_agent.agent.tool_backends import (
    SHIM_ONLY,
    InvokerContext,
    ToolSources,
    open_tools,
    resolve_backend,
    translate_backend_for_shim,
)
from mini_agent.errors import MiniAgentError
from mini_agent.events import Event, Listener, Stopped, ignore_event
from mini_agent.mcp.gateway.run_servers import load_run_configuration, open_run_tools
from mini_agent.models.cache import create_litellm_model
from mini_agent.net.telemetry import trace_headers
from mini_agent.provider.parameters import LiteLLMCall, ProviderCall, parse_provider_call
from mini_agent.remote.client import RunLost, ShimClient, build_lost_result
from mini_agent.remote.discovery import find_shim_address
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent.sandbox import SidecarClient
from mini_agent.settings import Settings, require_model
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.sandbox_client import open_sandbox


def prepare_run(given: LiteLLMCall) -> ProviderRun:
    """Prepare the run of a call without starting it; raise `BadRequest` for an invalid one."""
    settings = Settings()
    call = parse_provider_call(given, settings)
    places = resolve_backend(call.request.tool_backend, call.container, settings)
    if places == SHIM_ONLY:
        return ProviderRun(call, settings, tools=None)
    require_model(call.request.model, settings, field="target_model")
    return ProviderRun(call, settings, open_tools(places, _build_sources(call.request, settings)))


def _build_sources(request: AgentRunRequest, settings: Settings) -> ToolSources:
    def sidecar() -> SidecarClient:
        return open_sandbox(settings, headers=trace_headers)

    def servers(named: Sequence[str] | None) -> InvokerContext:
        return open_run_tools(load_run_configuration(settings).select(named))

    return ToolSources(request, settings, sidecar, servers)


@dataclass(frozen=True, slots=True)
class ProviderRun:
    """A run, to be had as its result or as its events; without `tools` the shim does it.

    INVARIANT: raises `MiniAgentError`, and that only while nothing has run yet: LiteLLM's Router
    repeats a call that raises, and a run that has begun must not be begun again.
    """

    call: ProviderCall
    settings: Settings
    tools: InvokerContext | None

    @property
    def is_local(self) -> bool:
        """Tell whether the loop runs in this process."""
        return self.tools is not None

    @property
    def shows_progress(self) -> bool:
        """Tell whether a stream includes the run's progress."""
        return self.call.shows_progress

    async def result(self) -> AgentResult:
        """Execute the run and return its result."""
        if self.tools is not None:
            return await self._here(self.tools, ignore_event)
        shim, there = await self._shim()
        try:
            return await shim.run(there)
        except RunLost as lost:
            return build_lost_result(there, lost)

    def events(self) -> AsyncGenerator[Event, None]:
        """Execute the run and yield its events; closing the iterator cancels it."""
        tools = self.tools
        if tools is None:
            return self._events_there()
        return iterate_events(lambda listener: self._here(tools, listener))

    async def _events_there(self) -> AsyncGenerator[Event, None]:
        shim, there = await self._shim()
        try:
            async with aclosing(shim.events(there)) as events:
                async for event in events:
                    yield event
        except RunLost as lost:
            yield Stopped(result=build_lost_result(there, lost))

    async def _shim(self) -> tuple[ShimClient, AgentRunRequest]:
        address = await asyncio.to_thread(find_shim_address, self.call.container)
        there = self.call.request.model_copy(
            update={"tool_backend": translate_backend_for_shim(self.call.request.tool_backend)}
        )
        return ShimClient(address, self.settings.shim_token.get_secret_value()), there

    async def _here(self, tools: InvokerContext, listener: Listener) -> AgentResult:
        result: AgentResult | None = None
        try:
            async with tools as invoker:
                result = await self._looped(invoker, listener)
        except Exception:  # leaving a sandbox can fail, which does not undo the run
            if result is None:
                raise
        return result

    async def _looped(self, invoker: Invoker, listener: Listener) -> AgentResult:
        request, settings = self.call.request, self.settings
        config = request.config(require_model(request.model, settings, field="target_model"))
        model = create_litellm_model(settings.ollama_address, settings.redis_url)
        try:
            return await run_agent(request.messages, invoker, config, model, listener)
        except MiniAgentError:
            raise
        except Exception as broken:  # noqa: BLE001  the door: it has begun, so it ends as a result
            ended = build_failed_result(request, broken)
            listener(Stopped(result=ended))
            return ended


def build_failed_result(request: AgentRunRequest, broken: Exception) -> AgentResult:
    """Build the result of a run that ended by an internal error."""
    why = f"{type(broken).__name__}: {broken!s:.500}"
    return AgentResult(
        final_answer=f"The run broke down, by a fault of the agent itself: {why}.",
        answer_source="notice",
        stopped_reason="error",
        messages=request.messages,
        iterations=(),
        used_model=request.model,
        error=why,
        total_ms=0.0,
    )

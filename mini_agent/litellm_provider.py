"""A run of the provider `mini-agent`: where it is asked to happen, and what it comes to."""

from __future__ import annotations

import asyncio

from mini_agent.backends import gateway_for, place_for, tools_at
from mini_agent.errors import MiniAgentError
from mini_agent.litellm_cache import through_litellm
from mini_agent.litellm_install import install
from mini_agent.litellm_lazy import litellm_module
from mini_agent.litellm_parameters import PROVIDER, GivenCall, ProviderCall, provider_call
from mini_agent.loop import run_agent
from mini_agent.messages import user
from mini_agent.result import AgentResult
from mini_agent.sandbox import SidecarClient
from mini_agent.settings import Settings, require_model
from mini_agent.shim_client import RunLost, ShimClient, lost_run
from mini_agent.shim_container import shim_address
from mini_agent.tools.invoker import Invoker
from mini_agent.wire import AgentRunResponse


def answer_through_litellm(prompt: str, *, target_model: str) -> AgentResult:
    """One prompt through `litellm.completion` and the provider; raises `MiniAgentError`."""
    install()
    try:
        response = litellm_module().completion(
            model=f"{PROVIDER}/default",
            target_model=target_model,
            messages=[user(prompt)],
        )
    # LiteLLM wraps what the provider raised in errors of its own; ours is the reason underneath.
    except Exception as wrapped:
        raise _underneath(wrapped) from wrapped
    told = dict(response.mini_agent)
    told["messages"] = told.pop("conversation")
    return AgentRunResponse.model_validate(told).result()


def _underneath(wrapped: BaseException) -> MiniAgentError:
    reason: BaseException | None = wrapped
    while reason is not None and not isinstance(reason, MiniAgentError):
        reason = reason.__cause__ or reason.__context__
    return reason or MiniAgentError(f"LiteLLM failed: {wrapped}")


async def provider_result(given: GivenCall) -> AgentResult:
    """What came of one call.

    Raises `MiniAgentError` only while nothing has run yet: LiteLLM's Router repeats a call that
    raises, and a run that has begun must not be begun again.
    """
    settings = Settings()
    call = provider_call(given, settings)
    place = place_for(call.request.tool_backend, call.container, settings)
    if place == "docker":
        return await _in_the_shim(call, settings)
    languages = call.request.allowed_languages
    if place != "sidecar":
        gateway = gateway_for(call.request, settings)
        async with tools_at(place, languages, gateway=gateway) as invoker:
            return await _here(call, invoker, settings)
    async with (
        SidecarClient(settings.sidecar_url, settings.read_sidecar_token()) as sidecar,
        tools_at(place, languages, sidecar) as invoker,
    ):
        return await _here(call, invoker, settings)


async def _here(call: ProviderCall, invoker: Invoker, settings: Settings) -> AgentResult:
    target = require_model(call.request.model, settings, field="target_model")
    config = call.request.config(target)
    model = through_litellm(settings.ollama_address, settings.redis_url)
    return await run_agent(call.request.messages, invoker, config, model)


async def _in_the_shim(call: ProviderCall, settings: Settings) -> AgentResult:
    address = await asyncio.to_thread(shim_address, call.container)
    shim = ShimClient(address, settings.shim_token.get_secret_value())
    there = call.request.model_copy(update={"tool_backend": "auto"})
    try:
        return await shim.run(there)
    except RunLost as lost:
        return lost_run(there, lost)

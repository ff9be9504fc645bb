"""The public run: the loop with LiteLLM behind it, for coroutines and for plain code."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from mini_agent.agent.event_stream import events_of
from mini_agent.agent.loop import run_agent
from mini_agent.agent.sync import run_blocking
from mini_agent.config import AgentConfig
from mini_agent.events import Event, Listener, unheard
from mini_agent.messages import Message
from mini_agent.model import Model
from mini_agent.models.cache import through_litellm
from mini_agent.result import AgentResult
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker


async def arun_mcp_mini_agent(
    messages: Sequence[Message],
    mcp: Invoker,
    cfg: AgentConfig,
    *,
    model: Model | None = None,
    on_event: Listener = unheard,
) -> AgentResult:
    """Runs the agent until it has an answer; `model` replaces LiteLLM.

    A model that fails, a deadline that passes or a tool that breaks ends the run with a result
    that says so, never with an exception; `BadRequest` is for messages that cannot be sent.
    `on_event` is called with everything that happens, as it happens.
    """
    settings = Settings()
    speaker = model or through_litellm(settings.ollama_address, settings.redis_url)
    return await run_agent(list(messages), mcp, cfg, speaker, on_event)


def astream_mcp_mini_agent(
    messages: Sequence[Message], mcp: Invoker, cfg: AgentConfig, *, model: Model | None = None
) -> AsyncGenerator[Event, None]:
    """The same as a stream of events; the last one, `Stopped`, holds the result.

    Who stops listening ends the run: leaving the `async for` early, closing the iterator
    (`contextlib.aclosing`), or being cancelled.
    """

    async def run(listener: Listener) -> AgentResult:
        return await arun_mcp_mini_agent(messages, mcp, cfg, model=model, on_event=listener)

    return events_of(run)


def run_mcp_mini_agent(
    messages: Sequence[Message], mcp: Invoker, cfg: AgentConfig, *, model: Model | None = None
) -> AgentResult:
    """The same for plain code: any thread, inside or outside a running event loop (Jupyter).

    Ctrl-C cancels the run and whatever it was running.
    """
    return run_blocking(arun_mcp_mini_agent(messages, mcp, cfg, model=model))

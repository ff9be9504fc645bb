"""Public entry points of a run: awaited, as a stream of events, and blocking."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Final

from mini_agent.agent.deadline import cancel
from mini_agent.agent.loop import run_agent
from mini_agent.agent.sync import run_blocking
from mini_agent.config import AgentConfig
from mini_agent.events import Event, Listener, ignore_event
from mini_agent.messages import Message
from mini_agent.model import Model
from mini_agent.models.cache import create_litellm_model
from mini_agent.result import AgentResult
from mini_agent.settings import Settings
from mini_agent.tools.invoker import Invoker

CANCEL_TIMEOUT_S: Final = 1.0

StartRun = Callable[[Listener], Coroutine[object, object, AgentResult]]


async def arun_mcp_mini_agent(
    messages: Sequence[Message],
    mcp: Invoker,
    cfg: AgentConfig,
    *,
    model: Model | None = None,
    on_event: Listener = ignore_event,
) -> AgentResult:
    """Runs the agent until it has an answer; `model` replaces LiteLLM.

    A model that fails, a deadline that passes or a tool that breaks ends the run with a result
    that says so, never with an exception; `BadRequest` is for messages that cannot be sent.
    `on_event` is called with every event of the run, as it happens.
    """
    settings = Settings()
    chosen = model or create_litellm_model(settings.ollama_address, settings.redis_url)
    return await run_agent(list(messages), mcp, cfg, chosen, on_event)


def astream_mcp_mini_agent(
    messages: Sequence[Message], mcp: Invoker, cfg: AgentConfig, *, model: Model | None = None
) -> AsyncGenerator[Event, None]:
    """Runs the agent as a stream of its events; the last one, `Stopped`, has the result.

    Leaving the `async for` early, closing the iterator (`contextlib.aclosing`) or cancelling its
    reader cancels the run.
    """

    async def start(listener: Listener) -> AgentResult:
        return await arun_mcp_mini_agent(messages, mcp, cfg, model=model, on_event=listener)

    return iterate_events(start)


def run_mcp_mini_agent(
    messages: Sequence[Message], mcp: Invoker, cfg: AgentConfig, *, model: Model | None = None
) -> AgentResult:
    """Runs the agent from any thread, inside or outside a running event loop (Jupyter).

    Ctrl-C cancels the run and everything it started.
    """
    return run_blocking(arun_mcp_mini_agent(messages, mcp, cfg, model=model))


async def iterate_events(start: StartRun) -> AsyncGenerator[Event, None]:
    """Starts a run and yields its events as they happen; the last one has the result.

    Closing the iterator, or cancelling its reader, cancels the run. Raises what the run raises.
    """
    events: asyncio.Queue[Event | None] = asyncio.Queue()
    run = asyncio.ensure_future(start(events.put_nowait))
    run.add_done_callback(lambda _: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        await run
    finally:
        await cancel(run, CANCEL_TIMEOUT_S)

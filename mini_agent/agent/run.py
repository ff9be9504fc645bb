"""The public run: the loop with LiteLLM behind it, for coroutines and for plain code.

A run as a stream of its events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Final

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


async def iterate_events(run: StartRun) -> AsyncGenerator[Event, None]:
    """The events of `run`, as they happen, the last one with the result.

    Closing the iterator, or cancelling who waits for it, cancels the run. What the run raises is
    raised here.
    """
    told: asyncio.Queue[Event | None] = asyncio.Queue()
    running = asyncio.ensure_future(run(told.put_nowait))
    running.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while (event := await told.get()) is not None:
            yield event
        await running
    finally:
        running.cancel()
        running.add_done_callback(_look_at)
        await asyncio.wait({running}, timeout=CANCEL_TIMEOUT_S)


def _look_at(ended: asyncio.Future[AgentResult]) -> None:
    # What a cancelled run raises on its way out has no reader; asyncio would complain about it.
    if not ended.cancelled():
        ended.exception()


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
    `on_event` is called with everything that happens, as it happens.
    """
    settings = Settings()
    speaker = model or create_litellm_model(settings.ollama_address, settings.redis_url)
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

    return iterate_events(run)


def run_mcp_mini_agent(
    messages: Sequence[Message], mcp: Invoker, cfg: AgentConfig, *, model: Model | None = None
) -> AgentResult:
    """The same for plain code: any thread, inside or outside a running event loop (Jupyter).

    Ctrl-C cancels the run and whatever it was running.
    """
    return run_blocking(arun_mcp_mini_agent(messages, mcp, cfg, model=model))

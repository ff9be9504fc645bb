"""Runs our agent through the suite: the public run, LiteLLM, a real server, a recording invoker."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import ExitStack
from time import perf_counter
from typing import Literal

from mini_agent import AgentConfig, arun_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.models.litellm_runtime import (
    close_litellm_clients,
    flush_litellm_logging,
    load_litellm,
)
from mini_agent.testing import ScriptedReply, ScriptedServer
from mini_agent.testing.replies import JsonObject
from mini_agent.testing.transcript_rules import broken_request_rules, broken_rules
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.behaviour_model import BehaviourModel
from tests.behaviours.judge import RunOutcome, Verdict
from tests.behaviours.ollama_rules import broken_ollama_rules
from tests.behaviours.recording_invoker import RecordingInvoker

Wire = Literal["openai", "ollama"]


class ModelSlot:
    """A server that plays one model after the other; LiteLLM keeps a client per address."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.server = ScriptedServer(self._reply)
        self._mind: BehaviourModel | None = None
        self._requests_before = 0

    def enter(self, behaviour: Behaviour) -> None:
        """Play `behaviour` from now on."""
        self._mind = BehaviourModel(behaviour)
        self._requests_before = len(self.server.requests)

    @property
    def broken_rules(self) -> list[str]:
        """The rules broken by the requests that this model got."""
        rules = broken_ollama_rules if self.wire == "ollama" else broken_request_rules
        requests = self.server.requests[self._requests_before :]
        return [rule for each in requests for rule in rules(each.messages)]

    def _reply(self, messages: list[JsonObject]) -> ScriptedReply:
        assert self._mind is not None
        return self._mind(messages)


async def judge_mini_agent(behaviour: Behaviour, slot: ModelSlot) -> Verdict:
    """Run one behaviour and judge it."""
    invoker = RecordingInvoker()
    slot.enter(behaviour)
    started = perf_counter()
    result = await arun_mcp_mini_agent([user(behaviour.task)], invoker, config_for(behaviour, slot))
    outcome = RunOutcome(
        answer=result.final_answer,
        gave_up=result.stopped_reason != "success",
        seconds=perf_counter() - started,
        ran=tuple(invoker.ran),
        broken_rules=(*slot.broken_rules, *broken_rules(result.messages)),
    )
    return Verdict(behaviour, outcome)


def config_for(behaviour: Behaviour, slot: ModelSlot) -> AgentConfig:
    """The defaults, the server's address, and the behaviour's deadline."""
    is_openai = slot.wire == "openai"
    address = slot.server.openai_url if is_openai else slot.server.url
    return AgentConfig(
        model="openai/scripted" if is_openai else "ollama_chat/scripted",
        max_wallclock_seconds=behaviour.seconds,
        completion_kwargs={"api_base": address, "api_key": "none"},
    )


async def judge_mini_agent_runs(
    behaviours: Iterable[Behaviour], wire: Wire, at_a_time: int = 4
) -> list[Verdict]:
    """Run every behaviour, `at_a_time` at once."""
    # Its import takes seconds, which no run is to be charged with.
    await load_litellm()
    slots = [ModelSlot(wire) for _ in range(at_a_time)]
    free: asyncio.Queue[ModelSlot] = asyncio.Queue()

    async def run_in_slot(behaviour: Behaviour) -> Verdict:
        slot = await free.get()
        try:
            return await judge_mini_agent(behaviour, slot)
        finally:
            free.put_nowait(slot)

    with ExitStack() as opened:
        for slot in slots:
            opened.enter_context(slot.server)
            free.put_nowait(slot)
        async with asyncio.TaskGroup() as running:
            tasks = [running.create_task(run_in_slot(each)) for each in behaviours]
        await flush_litellm_logging()
        await close_litellm_clients()
    return [task.result() for task in tasks]

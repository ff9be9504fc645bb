"""Our agent in the suite: the public run, LiteLLM, a real server, and the workshop's tools."""

from __future__ import annotations

from time import perf_counter
from typing import Literal

from mini_agent import AgentConfig, arun_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.testing import ScriptedServer
from mini_agent.testing.transcript_rules import broken_request_rules, broken_rules
from tests.behaviours.behaviour import Behaviour
from tests.behaviours.judge import Came, Verdict
from tests.behaviours.mind import Mind
from tests.behaviours.workshop import Workshop

Wire = Literal["openai", "ollama"]


async def verdict_on_ours(behaviour: Behaviour, wire: Wire) -> Verdict:
    """One behaviour, run and judged."""
    workshop = Workshop()
    with ScriptedServer(Mind(behaviour)) as server:
        config = config_for(behaviour, server, wire)
        started = perf_counter()
        result = await arun_mcp_mini_agent([user(behaviour.task)], workshop, config)
        seconds = perf_counter() - started
    asked = [rule for each in server.requests for rule in broken_request_rules(each.messages)]
    came = Came(
        answer=result.final_answer,
        gave_up=result.stopped_reason != "success",
        seconds=seconds,
        ran=tuple(workshop.ran),
        broken_rules=(*asked, *broken_rules(result.messages)),
    )
    return Verdict(behaviour, came)


def config_for(behaviour: Behaviour, server: ScriptedServer, wire: Wire) -> AgentConfig:
    """The defaults, the server's address, and the behaviour's deadline."""
    address = server.openai_url if wire == "openai" else server.url
    return AgentConfig(
        model=f"{'openai' if wire == 'openai' else 'ollama_chat'}/scripted",
        max_wallclock_seconds=behaviour.seconds,
        completion_kwargs={"api_base": address, "api_key": "none"},
    )

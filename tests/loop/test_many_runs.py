"""Many runs at a time in one process, each with its own conversation, over real sockets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mini_agent import arun_mcp_mini_agent
from mini_agent.config import AgentConfig
from mini_agent.litellm_lazy import close_litellm_clients, settle_litellm
from mini_agent.messages import user
from mini_agent.result import AgentResult
from mini_agent.testing import Reply, ScriptedServer, call, delayed, text
from mini_agent.testing.replies import JsonObject, Paced
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent.tools.echo import EchoMCP

RUNS = 200
FURTHER_RUNS = 50
LATE_S = 0.05


@pytest.fixture(autouse=True)
async def _closing() -> AsyncIterator[None]:
    yield
    await settle_litellm()
    await close_litellm_clients()


def answer(messages: list[JsonObject]) -> Paced:
    """First the user's word as a call, then what the tool said as an answer."""
    last = messages[-1]
    said = str(last["content"])
    reply: Reply = call("echo", text=said) if last["role"] == "user" else text(f"It said {said}.")
    return delayed(reply, LATE_S)


async def one(number: int, address: str) -> AgentResult:
    config = AgentConfig(
        model="openai/scripted", completion_kwargs={"api_base": address, "api_key": "none"}
    )
    return await arun_mcp_mini_agent([user(f"word{number}")], EchoMCP(), config)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208  no names are needed


async def many(runs: int, address: str) -> list[str]:
    """What is wrong with the answers of so many runs at a time."""
    results = await asyncio.gather(*(one(number, address) for number in range(runs)))
    return [
        result.final_answer
        for number, result in enumerate(results)
        if not result.final_answer.endswith(f"\nword{number}.") or broken_rules(result.messages)
    ]


async def test_two_hundred_runs_at_a_time_are_all_right_and_leave_no_descriptor_open() -> None:
    with ScriptedServer(answer) as server:
        assert await many(RUNS, server.openai_url) == []
        before = descriptors()
        assert await many(FURTHER_RUNS, server.openai_url) == []
        assert descriptors() <= before + 10

"""A run that has its answer is done, whether its caller waits for the rest or not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mini_agent.events import Listener, Stopped
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent_shim.http.auth import ANONYMOUS
from mini_agent_shim.runs import run_task
from mini_agent_shim.runs.registry import Capacity, RunOrigin, RunRegistry
from mini_agent_shim.runs.run_task import RunPlan
from mini_agent_shim.runs.store import Retention, RunStore

RESULT = AgentResult(
    final_answer="42",
    answer_source="model",
    stopped_reason="success",
    messages=[],
    iterations=(),
    used_model="a/b",
    error=None,
    total_ms=1.0,
)


@pytest.mark.parametrize("leaving_s", [0.05, 60.0])
async def test_who_leaves_with_the_answer_leaves_a_run_that_is_done(
    tmp_path: Path, leaving_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_task, "CANCEL_TIMEOUT_S", 0.5)
    told = asyncio.Event()

    async def work(tell: Listener) -> AgentResult:
        tell(Stopped(result=RESULT))
        told.set()
        await asyncio.sleep(leaving_s)
        return RESULT

    asked = AgentRunRequest.model_validate(
        {"messages": [{"role": "user", "content": "What is six times seven?"}], "model": "a/b"}
    )
    registry = RunRegistry(RunStore(tmp_path, Retention()), Capacity(1, 1))
    registry.open()
    run = registry.start(RunPlan(asked, "a/b", work), RunOrigin(ANONYMOUS, "chat"))
    await told.wait()
    await run.end("cancelled")
    found = registry.find(run.recorder.summary.id, ANONYMOUS)
    assert (found.state, (await run.result()).final_answer) == ("done", "42")
    await registry.aclose()

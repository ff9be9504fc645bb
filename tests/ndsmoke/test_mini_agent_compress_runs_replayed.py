"""The readiness smoke with scripted models: the right answer, or an honest stop, each time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from mini_agent.models.litellm_runtime import import_litellm
from mini_agent.remote.schema import AgentRunResponse
from mini_agent.testing import ScriptedServer
from mini_agent.testing.transcript_rules import broken_rules
from mini_agent_shim.app import create_app
from mini_agent_shim.settings import ShimSettings
from tests.ndsmoke.replays import FIRST, HONEST, PROMPT, RIGHT, SECOND, Replay
from tests.shim.serving import serve_app

BUDGET_S = 10.0
GRACE_S = 15.0


@pytest.fixture
def shim() -> Iterator[str]:
    """The shim with all that it does, but its sandboxes."""
    # The first run of a shim that has just started would wait for this import.
    import_litellm()
    with serve_app(create_app(ShimSettings())) as url:
        yield url


def run(shim: str, replay: Replay) -> AgentRunResponse:
    with ScriptedServer(replay.turns, repeat_last=replay.repeats) as server:
        started = time.monotonic()
        answered = httpx.post(
            f"{shim}/agent/run",
            json={
                "messages": [{"role": "user", "content": PROMPT}],
                "model": "ollama/qwen2.5-coder:3b",
                "api_base": server.url,
                "tool_backend": "local",
                "use_tools": True,
                "auto_run_code_on_code_block": True,
                "max_iterations": 6,
                "max_wallclock_seconds": BUDGET_S,
            },
            timeout=150,
        )
        assert time.monotonic() - started < BUDGET_S + GRACE_S
    assert answered.status_code == httpx.codes.OK, answered.text
    response = AgentRunResponse.model_validate(answered.json())
    assert response.final_answer.strip()
    assert broken_rules(response.messages) == []
    return response


@pytest.mark.parametrize("replay", RIGHT, ids=str)
def test_the_answer_is_right(shim: str, replay: Replay) -> None:
    response = run(shim, replay)
    assert [part for part in (FIRST, SECOND) if part not in response.final_answer] == []


@pytest.mark.parametrize("replay", HONEST, ids=str)
def test_the_stop_is_honest(shim: str, replay: Replay) -> None:
    response = run(shim, replay)
    assert SECOND not in response.final_answer
    assert response.stopped_reason != "success"
    assert response.answer_source != "model"

"""Readiness: the running stack, with a live model, computes encodings in its sandboxes."""

from __future__ import annotations

import os

import httpx
import pytest

from mini_agent.remote.schema import AgentRunResponse

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

EXPECTED = {"aaabbc": "a3b2c1", "aabbccddeeffgg": "a2b2c2d2e2f2g2"}
ONE_BY_ONE = 'Run-length encode "{}" by running Python, and answer with what it printed.'
IN_ONE_PROMPT = (
    "Run-length encode each of these strings by running Python (a run becomes the character and "
    "how often it stands there, as in xxy -> x2y1), and answer with what it printed: {}"
)


def prompts_for(model: str) -> list[str]:
    """The demo model knows one task at a time; any other gets both in one prompt."""
    if model.endswith("/tiny-agent"):
        return [ONE_BY_ONE.format(text) for text in EXPECTED]
    return [IN_ONE_PROMPT.format(" and ".join(EXPECTED))]


def run(stack: httpx.Client, model: str, prompt: str) -> AgentRunResponse:
    answered = stack.post(
        "/agent/run",
        json={
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "max_iterations": int(os.environ.get("NDSMOKE_MAX_ITERS", "6")),
            "max_wallclock_seconds": float(os.environ.get("NDSMOKE_TIMEOUT", "240")) - 10,
        },
    )
    assert answered.status_code == httpx.codes.OK, answered.text
    response = AgentRunResponse.model_validate(answered.json())
    if response.stopped_reason == "error" and "ollama pull" in (response.error or ""):
        missing = f"the model {model} is not pulled: {response.error}"
        assert os.environ.get("CI") != "true", missing
        pytest.skip(missing)
    return response


def test_mini_agent_compress_runs_iterates_live_optional(stack: httpx.Client, model: str) -> None:
    responses = [run(stack, model, prompt) for prompt in prompts_for(model)]
    answers = " ".join(response.final_answer for response in responses)
    executions = [
        call.execution
        for response in responses
        for iteration in response.iterations
        for call in iteration.tool_invocations
        if call.execution
    ]
    printed = " ".join(execution.stdout for execution in executions)
    assert [text for text in EXPECTED.values() if text not in answers] == []
    assert [text for text in EXPECTED.values() if text not in printed] == []
    assert {execution.sandbox.network for execution in executions} == {"none"}

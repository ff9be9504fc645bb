"""Runs with a live model, of which some things hold however bad the model is."""

from __future__ import annotations

import time
from typing import Final

from pydantic import JsonValue

from mini_agent import AgentConfig, AgentResult, LocalMCPInvoker, run_mcp_mini_agent
from mini_agent.messages import user
from mini_agent.model import Model
from mini_agent.testing.transcript_rules import broken_rules

PROMPTS: Final = (
    'Run-length encode "aaabbc" by running Python, and answer with what it printed.',
    'Reverse "hello" by running Python, and answer with what it printed.',
    "Compute 12 * 34 by running Python, and answer with what it printed.",
    "Who are you?",
)
GRACE_S: Final = 15.0


def live_run(
    address: str,
    prompt: str,
    *,
    seconds: float = 10.0,
    max_tokens: int | None = 200,
    model: Model | None = None,
) -> AgentResult:
    """A run that is not blank, ends in time, and leaves a transcript every server would take."""
    options: dict[str, JsonValue] = {"api_base": address, "seed": 1}
    if max_tokens is not None:
        options["max_tokens"] = max_tokens
    config = AgentConfig(
        model="llamafile/tiny",
        max_iterations=4,
        max_wallclock_seconds=seconds,
        temperature=0.8,
        completion_kwargs=options,
    )
    started = time.monotonic()
    result = run_mcp_mini_agent([user(prompt)], LocalMCPInvoker(), config, model=model)
    assert time.monotonic() - started < seconds + GRACE_S
    assert result.final_answer.strip()
    assert broken_rules(result.messages) == []
    return result

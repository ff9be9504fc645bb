"""The words a run ends with: the model's, else the last useful output, else why it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.config import AgentConfig
from mini_agent.result import AnswerSource, Iteration, StoppedReason, ToolInvocation

LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the run stopped, the model's last word if it had one, and the error if there was one."""

    reason: StoppedReason
    text: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer, never blank, and whose words it is."""

    text: str
    source: AnswerSource


def answer_of(ending: Ending, iterations: Sequence[Iteration], config: AgentConfig) -> Answer:
    """The best answer there is."""
    if ending.text:
        return Answer(ending.text, "model")
    output = last_useful_output(iterations)
    if output:
        return Answer(output, "tool_output")
    return Answer(_notice(ending, config), "notice")


def last_useful_output(iterations: Sequence[Iteration]) -> str:
    """What the last successful call printed or came to, of long output the end."""
    calls = [call for each in iterations for call in each.tool_invocations if call.ok]
    outputs = (_output_of(call) for call in reversed(calls))
    return next((text[-LONGEST:] for text in outputs if text), "")


def newest_output(iterations: Sequence[Iteration]) -> str:
    """What the last call of all printed or came to; empty when it failed."""
    calls = [call for each in iterations for call in each.tool_invocations]
    return _output_of(calls[-1])[-LONGEST:] if calls and calls[-1].ok else ""


def _output_of(call: ToolInvocation) -> str:
    value = call.execution.result_repr if call.execution else None
    return call.stdout.strip() or value or ""


def _notice(ending: Ending, config: AgentConfig) -> str:
    if ending.reason == "budget":
        limit = f"its time limit of {config.max_wallclock_seconds:g} s"
        return f"The run stopped at {limit} before there was an answer."
    if ending.reason == "max_iterations":
        limit = f"its limit of {config.max_iterations} turns"
        return f"The run stopped at {limit} before there was an answer."
    if ending.reason == "stagnation":
        return "The run stopped because the model repeated itself and came to no answer."
    return f"The run stopped without an answer: {ending.error}"

"""Whether a run gets on: what it is told after each turn, and when it had better stop.

The model that answers, and the one that takes over when a run is about to fail.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mini_agent.agent.deadline import Deadline
from mini_agent.agent.guardrails.evasion import Evasion
from mini_agent.agent.guardrails.research import ResearchGuardrail
from mini_agent.agent.guardrails.stagnation import (
    StagnationDetector,
    TurnSummary,
    summarize_answer,
    summarize_calls,
)
from mini_agent.agent.prompts import REPETITION
from mini_agent.config import AgentConfig
from mini_agent.result import ToolInvocation

# "Nearly spent": this part of the turns or of the time is left.
BUDGET_DIVISOR: Final = 4


class Escalation:
    """Which model is asked. It changes at most once in a run."""

    def __init__(self, config: AgentConfig, deadline: Deadline) -> None:
        self._config = config
        self._deadline = deadline
        self.has_escalated = False

    @property
    def model(self) -> str:
        """The model to ask now."""
        return (self.has_escalated and self._config.escalate_model) or self._config.model

    @property
    def changes_provider(self) -> bool:
        """Whether another provider serves the model asked now than the run began with."""
        return _provider(self.model) != _provider(self._config.model)

    def escalate(self) -> bool:
        """Lets the other model take over; False when there is none or it already has."""
        if self._config.escalate_model is None or self.has_escalated:
            return False
        self.has_escalated = True
        return True

    def before_turn(self, turns_done: int) -> None:
        """Escalates if this run does so near its end, and that is near."""
        if self._config.escalate_on_budget_exceeded and turns_done:
            turns_left = self._config.max_iterations - turns_done
            few_turns = turns_left * BUDGET_DIVISOR <= max(
                self._config.max_iterations, BUDGET_DIVISOR
            )
            seconds = self._config.max_wallclock_seconds
            if few_turns or self._deadline.remaining * BUDGET_DIVISOR <= seconds:
                self.escalate()


def _provider(model: str) -> str:
    return model.partition("/")[0].removesuffix("_chat") if "/" in model else ""


@dataclass(frozen=True, slots=True)
class Advice:
    """What to `say` to the model before its next turn, or that there should be none.

    `discard`: what it said is no answer.
    """

    say: str = ""
    stop: bool = False
    discard: bool = False


class GuardrailPolicy:
    """Watches the turns of one run; `tools` are the names of all that the invoker lists."""

    def __init__(self, config: AgentConfig, tools: Iterable[str], escalation: Escalation) -> None:
        self._window = config.stagnation_window
        self._stagnation = StagnationDetector(config.stagnation_window)
        self._research = ResearchGuardrail(config, tools)
        self._escalation = escalation
        self._has_evaded = False

    def after_calls(self, invocations: Sequence[ToolInvocation]) -> Advice:
        """What follows from a turn of calls."""
        research = self._research.after_calls(failed=not any(call.ok for call in invocations))
        return self._advice(summarize_calls(invocations), research)

    def after_answer(self, text: str, evaded: Evasion) -> Advice:
        """What follows from an answer; nothing to say means that it can be taken."""
        research = self._research.after_answer(text)
        if research:
            return self._advice(summarize_answer(text), research)
        if not evaded.kind:
            return Advice()
        # A model that evades again will go on so.
        has_evaded, self._has_evaded = self._has_evaded, True
        return Advice("" if has_evaded else evaded.directive, stop=has_evaded, discard=True)

    def _advice(self, step: TurnSummary, research: str) -> Advice:
        verdict = self._stagnation.after(step)
        if verdict == "stop":
            if not self._escalation.escalate():
                return Advice(stop=True)
            self._stagnation.forget()
        repeats = REPETITION.format(told=step.told, times=self._window) if verdict else ""
        return Advice("\n".join(text for text in (research, repeats) if text))

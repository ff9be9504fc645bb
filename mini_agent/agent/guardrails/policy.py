"""The guardrails of a run: what each turn leads to, and which model is asked."""

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
from mini_agent.tool_parsing.arguments import NOT_AN_OBJECT
from mini_agent.tool_parsing.resolve import ResolvedCall

# Turns or time are "nearly spent" when one part in so many is left.
BUDGET_DIVISOR: Final = 4
MAX_BROKEN_TURNS: Final = 2


@dataclass(frozen=True, slots=True)
class Advice:
    """What to tell the model before its next turn, or that the run stops.

    `discard` says that the model's text is no answer.
    """

    directive: str = ""
    stop: bool = False
    discard: bool = False


class GuardrailPolicy:
    """Judges the turns of one run; `tools` are the names of all tools that the invoker lists."""

    def __init__(self, config: AgentConfig, tools: Iterable[str], escalation: Escalation) -> None:
        self._window = config.stagnation_window
        self._stagnation = StagnationDetector(config.stagnation_window)
        self._research = ResearchGuardrail(config, tools)
        self._escalation = escalation
        self._has_evaded = False

    def after_calls(self, invocations: Sequence[ToolInvocation]) -> Advice:
        """Judges a turn of calls."""
        research = self._research.after_calls(failed=not any(call.ok for call in invocations))
        return self._advise(summarize_calls(invocations), research)

    def after_answer(self, text: str, evasion: Evasion) -> Advice:
        """Judges an answer; an empty advice means that it can be taken."""
        research = self._research.after_answer(text)
        if research:
            return self._advise(summarize_answer(text), research)
        if not evasion.kind:
            return Advice()
        # A model that evades twice does not stop evading.
        has_evaded, self._has_evaded = self._has_evaded, True
        return Advice("" if has_evaded else evasion.directive, stop=has_evaded, discard=True)

    def _advise(self, turn: TurnSummary, research: str) -> Advice:
        verdict = self._stagnation.observe(turn)
        if verdict == "stop":
            if not self._escalation.escalate():
                return Advice(stop=True)
            self._stagnation.reset()
        repetition = (
            REPETITION.format(action=turn.description, times=self._window) if verdict else ""
        )
        return Advice("\n".join(text for text in (research, repetition) if text))


class BrokenArgumentsGuardrail:
    """Counts the turns in a row in which the arguments of every native call were unreadable."""

    def __init__(self) -> None:
        self._turns = 0

    def observe(self, calls: Sequence[ResolvedCall]) -> None:
        """Adds the calls of the turn that has just ended."""
        is_broken = bool(calls) and all(
            each.form == "call" and each.problem.startswith(NOT_AN_OBJECT) for each in calls
        )
        self._turns = self._turns + 1 if is_broken else 0

    @property
    def wants_text(self) -> bool:
        """Whether the model is to write its next call as text."""
        return self._turns >= MAX_BROKEN_TURNS


class Escalation:
    """Chooses the model of the next request; it changes at most once in a run."""

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
        """Whether the model to ask now has another provider than the run's first model."""
        return _provider(self.model) != _provider(self._config.model)

    def escalate(self) -> bool:
        """Changes the model; returns False when there is no other or it has changed already."""
        if self._config.escalate_model is None or self.has_escalated:
            return False
        self.has_escalated = True
        return True

    def before_turn(self, turns_done: int) -> None:
        """Escalates where turns or time are nearly spent, if the run is configured so."""
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

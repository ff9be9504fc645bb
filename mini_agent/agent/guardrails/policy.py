"""Whether a run gets on: what it is told after each turn, and when it had better stop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mini_agent.agent.guardrails.escalation import Escalation
from mini_agent.agent.guardrails.evasion import Evasion
from mini_agent.agent.guardrails.research_ import Research
from mini_agent.agent.guardrails.stagnation import (
    Stagnation,
    Step,
    step_of_calls,
    step_of_words,
)
from mini_agent.agent.prompts import REPEATS
from mini_agent.config import AgentConfig
from mini_agent.result import ToolInvocation


@dataclass(frozen=True, slots=True)
class Advice:
    """What to `say` to the model before its next turn, or that there should be none.

    `discard`: what it said is no answer.
    """

    say: str = ""
    stop: bool = False
    discard: bool = False


class Progress:
    """Watches the turns of one run; `tools` are the names of all that the invoker lists."""

    def __init__(self, config: AgentConfig, tools: Iterable[str], escalation: Escalation) -> None:
        self._window = config.stagnation_window
        self._stagnation = Stagnation(config.stagnation_window)
        self._research = Research(config, tools)
        self._escalation = escalation
        self._has_evaded = False

    def after_calls(self, invocations: Sequence[ToolInvocation]) -> Advice:
        """What follows from a turn of calls."""
        research = self._research.after_calls(failed=not any(call.ok for call in invocations))
        return self._advice(step_of_calls(invocations), research)

    def after_words(self, text: str, evaded: Evasion) -> Advice:
        """What follows from an answer; nothing to say means that it can be taken."""
        research = self._research.on_answer(text)
        if research:
            return self._advice(step_of_words(text), research)
        if not evaded.kind:
            return Advice()
        # A model that evades again will go on so.
        has_evaded, self._has_evaded = self._has_evaded, True
        return Advice("" if has_evaded else evaded.directive, stop=has_evaded, discard=True)

    def _advice(self, step: Step, research: str) -> Advice:
        verdict = self._stagnation.after(step)
        if verdict == "stop":
            if not self._escalation.escalate():
                return Advice(stop=True)
            self._stagnation.forget()
        repeats = REPEATS.format(told=step.told, times=self._window) if verdict else ""
        return Advice("\n".join(text for text in (research, repeats) if text))

"""The model that answers, and the one that takes over when a run is about to fail."""

from __future__ import annotations

from typing import Final

from mini_agent.agent.deadline import Deadline
from mini_agent.config import AgentConfig

# "Nearly spent": this part of the turns or of the time is left.
LAST_PART: Final = 4


class Escalation:
    """Which model is asked. It changes at most once in a run."""

    def __init__(self, config: AgentConfig, deadline: Deadline) -> None:
        self._config = config
        self._deadline = deadline
        self.took_place = False

    @property
    def model(self) -> str:
        """The model to ask now."""
        return (self.took_place and self._config.escalate_model) or self._config.model

    @property
    def is_elsewhere(self) -> bool:
        """Whether another provider serves the model asked now than the run began with."""
        return _provider(self.model) != _provider(self._config.model)

    def escalate(self) -> bool:
        """Lets the other model take over; False when there is none or it already has."""
        if self._config.escalate_model is None or self.took_place:
            return False
        self.took_place = True
        return True

    def before_turn(self, turns_done: int) -> None:
        """Escalates if this run does so near its end, and that is near."""
        if self._config.escalate_on_budget_exceeded and turns_done:
            turns_left = self._config.max_iterations - turns_done
            few_turns = turns_left * LAST_PART <= max(self._config.max_iterations, LAST_PART)
            seconds = self._config.max_wallclock_seconds
            if few_turns or self._deadline.remaining * LAST_PART <= seconds:
                self.escalate()


def _provider(model: str) -> str:
    return model.partition("/")[0].removesuffix("_chat") if "/" in model else ""

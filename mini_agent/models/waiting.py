"""Waits for a model server that is busy or still starting, and asks it again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mini_agent.errors import ModelError, ModelUnavailable
from mini_agent.model import Model, ModelReply, ModelRequest
from mini_agent.net.backoff import exponential_delay

MIN_DELAY_S: Final = 0.1
JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class WaitBudget:
    """How often a request is sent at most, and how long all waits together may take.

    A server that is not there at all gets fewer attempts than one that is busy.
    """

    attempts: int = 8
    attempts_unreachable: int = 6
    initial_s: float = 0.5
    max_delay_s: float = 60.0
    total_s: float = 300.0

    def max_attempts(self, fault: ModelUnavailable) -> int:
        """Return how often a request may be sent that failed with `fault`."""
        by_cause = {"busy": self.attempts, "unreachable": self.attempts_unreachable}
        return by_cause.get(fault.cause, 1)

    def delay(self, fault: ModelUnavailable, attempt: int) -> float:
        """Compute the wait after `attempt` failed: the server's own, else a doubled one."""
        if fault.retry_after_s is not None:
            return max(MIN_DELAY_S, fault.retry_after_s)
        delay = exponential_delay(attempt - 1, initial_s=self.initial_s, max_s=self.max_delay_s)
        return delay * random.uniform(1 - JITTER, 1)  # noqa: S311  no secret


DEFAULT_BUDGET: Final = WaitBudget()


class WaitingModel:
    """Sends a request again while its server is busy; a request changes nothing there.

    `on_wait` gets a sentence about each wait, which names `stop_key`. Faults of other causes, and
    one that outlasts the budget, are raised.
    """

    def __init__(
        self,
        model: Model,
        on_wait: Callable[[str], None],
        *,
        stop_key: str = "Ctrl-C",
        budget: WaitBudget = DEFAULT_BUDGET,
    ) -> None:
        self._model, self._on_wait = model, on_wait
        self._stop_key, self._budget = stop_key, budget

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Ask the model; raises `ModelError` when it cannot take the request in time."""
        waited, attempt = 0.0, 1
        while True:
            try:
                return await self._model.reply(request)
            except ModelUnavailable as fault:
                if fault.cause == "failed":
                    raise
                delay = self._next_delay(fault, attempt, waited)
            attempt += 1
            waited += delay
            await asyncio.sleep(delay)

    def _next_delay(self, fault: ModelUnavailable, attempt: int, waited: float) -> float:
        """Say that there is a wait, and return its seconds; raises where there is none."""
        most = self._budget.max_attempts(fault)
        delay = self._budget.delay(fault, attempt)
        if attempt >= most or waited + delay > self._budget.total_s:
            raise self._give_up(fault, attempt, waited, delay) from fault
        self._on_wait(
            f"{fault.message}: waiting {format_seconds(delay)} s, attempt {attempt + 1} of {most}, "
            f"{self._stop_key} to stop"
        )
        return delay

    def _give_up(
        self, fault: ModelUnavailable, attempt: int, waited: float, delay: float
    ) -> ModelError:
        tried = f"tried {attempt} times in {format_seconds(waited)} s" if waited else ""
        asked = fault.retry_after_s
        if asked is not None and waited + delay > self._budget.total_s:
            limit = f"more than the {self._budget.total_s:.0f} s that are waited"
            tried = f"it asks for a wait of {format_seconds(asked)} s, {limit}"
        return ModelError(f"{fault.message}; {tried}".removesuffix("; "), hint=fault.hint)


def format_seconds(seconds: float) -> str:
    """Format seconds without digits that nobody needs."""
    return f"{seconds:.1f}" if seconds < 1 else f"{seconds:.0f}"

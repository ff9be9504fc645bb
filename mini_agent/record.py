"""What has happened in a run so far, turn by turn."""

from __future__ import annotations

from collections.abc import Sequence

from mini_agent.result import Iteration, ToolInvocation, Usage
from mini_agent.turn import Turn
from mini_agent.understood import Ask

ASKED_AGAIN = "the model was asked for an answer with its tools withheld"


class Record:
    """The iterations of a run; the newest one is still open."""

    def __init__(self) -> None:
        self._iterations: list[Iteration] = []

    @property
    def iterations(self) -> tuple[Iteration, ...]:
        """All of them, in order."""
        return tuple(self._iterations)

    @property
    def usage(self) -> Usage:
        """The tokens of all of them."""
        total = Usage()
        for each in self._iterations:
            total = total.plus(each.usage)
        return total

    def opened(self, turn: Turn, asks: Sequence[Ask] = ()) -> None:
        """A new iteration: the model has said something."""
        self._iterations.append(
            Iteration(
                index=len(self._iterations) + 1,
                model=turn.model,
                model_text=turn.text,
                reasoning=turn.reasoning,
                finish_reason=turn.finish_reason,
                repaired=tuple(repair for ask in asks for repair in ask.repaired),
                model_ms=turn.ms,
                usage=turn.usage,
            )
        )

    def tool_ran(self, invocation: ToolInvocation) -> None:
        """One of the newest iteration's calls is done."""
        done = self._iterations[-1].tool_invocations
        self._amend(tool_invocations=(*done, invocation))

    def asked_again(self, turn: Turn) -> None:
        """The newest iteration ends with a last word, which has no iteration of its own."""
        newest = self._iterations[-1]
        self._amend(
            model_text=newest.model_text or turn.text,
            reasoning=newest.reasoning or turn.reasoning,
            repaired=(*newest.repaired, ASKED_AGAIN),
            model_ms=newest.model_ms + turn.ms,
            usage=newest.usage.plus(turn.usage),
        )

    def _amend(self, **changed: object) -> None:
        self._iterations[-1] = self._iterations[-1].model_copy(update=changed)

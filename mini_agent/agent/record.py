"""What has happened in a run so far, turn by turn, as its events tell it."""

from __future__ import annotations

from mini_agent.events import CallRepaired, Event, ModelReplied, Observation, ToolFinished
from mini_agent.result import Iteration, ToolInvocation, Usage

ASKED_AGAIN = "the model was asked for an answer with its tools withheld"


class Record:
    """The iterations of a run; the newest one is still open."""

    def __init__(self) -> None:
        self._iterations: list[Iteration] = []
        self._finished: dict[str, ToolInvocation] = {}

    @property
    def iterations(self) -> tuple[Iteration, ...]:
        """All of them, in order."""
        return tuple(self._iterations)

    @property
    def turns(self) -> int:
        """How many there are."""
        return len(self._iterations)

    @property
    def usage(self) -> Usage:
        """The tokens of all of them."""
        total = Usage()
        for each in self._iterations:
            total = total.plus(each.usage)
        return total

    def take(self, event: Event) -> None:
        """Adds what `event` says. A call counts once the model is shown what came of it."""
        match event:
            case ModelReplied(is_last_word=True) if self._iterations:
                self._amend_with_last_word(event)
            case ModelReplied():
                self._open(event)
            case CallRepaired():
                newest = self._iterations[-1]
                self._amend(repaired=(*newest.repaired, *event.repaired))
            case ToolFinished():
                self._finished[event.invocation.tool_call_id] = event.invocation
            case Observation(tool_call_id=str(done)):
                invocation = self._finished.pop(done).model_copy(update={"text": event.text})
                earlier = self._iterations[-1].tool_invocations
                self._amend(tool_invocations=(*earlier, invocation))
            case _:
                pass

    def _open(self, reply: ModelReplied) -> None:
        self._iterations.append(
            Iteration(
                index=len(self._iterations) + 1,
                model=reply.model,
                model_text=reply.text,
                reasoning=reply.reasoning,
                finish_reason=reply.finish_reason,
                repaired=reply.repaired,
                model_ms=reply.model_ms,
                usage=reply.usage,
            )
        )

    def _amend_with_last_word(self, reply: ModelReplied) -> None:
        newest = self._iterations[-1]
        self._amend(
            model_text=newest.model_text or reply.text,
            reasoning=newest.reasoning or reply.reasoning,
            repaired=(*newest.repaired, ASKED_AGAIN, *reply.repaired),
            model_ms=newest.model_ms + reply.model_ms,
            usage=newest.usage.plus(reply.usage),
        )

    def _amend(self, **changed: object) -> None:
        self._iterations[-1] = self._iterations[-1].model_copy(update=changed)

"""A run told as it happens: every event to the record and the listener, and the result at last."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from mini_agent.agent.answer import (
    Ending,
    answer_of,
    last_useful_output,
    newest_output,
)
from mini_agent.agent.record import Record
from mini_agent.agent.transcript import Transcript
from mini_agent.agent.turn import Turn
from mini_agent.config import AgentConfig
from mini_agent.events import (
    CallRepaired,
    CallsUnderstood,
    Event,
    Listener,
    ModelReplied,
    Observation,
    RequestedCall,
    Stopped,
    UnderstoodCall,
)
from mini_agent.result import AgentResult, ToolInvocation
from mini_agent.tool_parsing.understood import Ask

NOT_DONE = "the run stopped before this call was done"


class Story:
    """What has happened so far. The result is made of the same events that the listener gets."""

    def __init__(self, transcript: Transcript, config: AgentConfig, listener: Listener) -> None:
        self._transcript = transcript
        self._config = config
        self._listener = listener
        self._record = Record()
        self._started = perf_counter()

    @property
    def turns(self) -> int:
        """How many iterations there have been."""
        return self._record.turns

    @property
    def useful_output(self) -> str:
        """What the last successful call that printed anything printed."""
        return last_useful_output(self._record.iterations)

    @property
    def newest_output(self) -> str:
        """What the last call printed, if it succeeded."""
        return newest_output(self._record.iterations)

    def tell(self, event: Event) -> None:
        """Something has happened."""
        self._record.take(event)
        self._listener(event)

    def replied(self, turn: Turn, *, is_last_word: bool = False) -> None:
        """The model has spoken; unless it is a last word, this opens an iteration."""
        calls = [RequestedCall(id=c.id, name=c.name, arguments=c.arguments) for c in turn.calls]
        self.tell(
            ModelReplied(
                iteration=max(1, self.turns if is_last_word else self.turns + 1),
                is_last_word=is_last_word,
                model=turn.model,
                text=turn.text,
                reasoning=turn.reasoning,
                calls=tuple(calls),
                finish_reason=turn.finish_reason,
                repaired=turn.repaired,
                usage=turn.usage,
                model_ms=turn.ms,
            )
        )

    def called(self, text: str, asks: Sequence[Ask]) -> None:
        """The model's calls are understood."""
        self._transcript.model_called(text, asks)
        calls = [UnderstoodCall(id=a.id, name=a.name, arguments=a.arguments) for a in asks]
        self.tell(CallsUnderstood(iteration=self.turns, calls=tuple(calls)))
        for ask in asks:
            if ask.repaired:
                repaired = CallRepaired(
                    iteration=self.turns, tool_call_id=ask.id, repaired=ask.repaired
                )
                self.tell(repaired)

    def observed(self, invocations: Sequence[ToolInvocation], also: str) -> None:
        """What came of the calls is shown to the model, and `also` what the loop has to say."""
        for call in invocations:
            is_last = call is invocations[-1]
            text = "\n".join(part for part in (call.text, also if is_last else "") if part)
            self._transcript.tool_answered(call.tool_call_id, text)
            self.tell(Observation(iteration=self.turns, tool_call_id=call.tool_call_id, text=text))

    def loop_said(self, text: str) -> None:
        """A word of the loop's own to the model."""
        self._transcript.loop_says(text)
        self.tell(Observation(iteration=max(1, self.turns), tool_call_id=None, text=text))

    def stopped(self, ending: Ending, *, escalated: bool) -> AgentResult:
        """The result; nothing happens after it."""
        self._transcript.answer_open(NOT_DONE)
        iterations = self._record.iterations
        answer = answer_of(ending, iterations, self._config)
        result = AgentResult(
            final_answer=answer.text,
            answer_source=answer.source,
            stopped_reason=ending.reason,
            messages=self._transcript.copy(),
            iterations=iterations,
            used_model=iterations[-1].model if iterations else self._config.model,
            usage=self._record.usage,
            error=ending.error,
            escalated=escalated,
            total_ms=(perf_counter() - self._started) * 1000,
        )
        self.tell(Stopped(result=result))
        return result

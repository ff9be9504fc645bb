"""A run told as it happens: every event to the record and the listener, and the result at last.

What has happened in a run so far, turn by turn, as its events tell it.

The words a run ends with: the model's, else the last useful output, else why it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from mini_agent.agent.model_turn import Turn
from mini_agent.agent.transcript import Transcript
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
    ToolFinished,
    UnderstoodCall,
)
from mini_agent.result import (
    AgentResult,
    AnswerSource,
    Iteration,
    StoppedReason,
    ToolInvocation,
    Usage,
)
from mini_agent.tool_parsing.resolve import ResolvedCall

ASKED_AGAIN = "the model was asked for an answer with its tools withheld"


class IterationLog:
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


MAX_OUTPUT_CHARS: Final = 4000


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the run stopped, the model's last word if it had one, and the error if there was one."""

    reason: StoppedReason
    text: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """The final answer, never blank, and whose words it is."""

    text: str
    source: AnswerSource


def choose_answer(
    ending: Ending, iterations: Sequence[Iteration], config: AgentConfig
) -> FinalAnswer:
    """The best answer there is."""
    if ending.text:
        return FinalAnswer(ending.text, "model")
    output = last_useful_output(iterations)
    if output:
        return FinalAnswer(output, "tool_output")
    return FinalAnswer(_format_notice(ending, config), "notice")


def last_useful_output(iterations: Sequence[Iteration]) -> str:
    """What the last successful call printed or came to, of long output the end."""
    calls = [call for each in iterations for call in each.tool_invocations if call.ok]
    outputs = (_call_output(call) for call in reversed(calls))
    return next((text[-MAX_OUTPUT_CHARS:] for text in outputs if text), "")


def latest_output(iterations: Sequence[Iteration]) -> str:
    """What the last call of all printed or came to; empty when it failed."""
    calls = [call for each in iterations for call in each.tool_invocations]
    return _call_output(calls[-1])[-MAX_OUTPUT_CHARS:] if calls and calls[-1].ok else ""


def _call_output(call: ToolInvocation) -> str:
    value = call.execution.result_repr if call.execution else None
    return call.stdout.strip() or value or ""


def _format_notice(ending: Ending, config: AgentConfig) -> str:
    if ending.reason == "budget":
        limit = f"its time limit of {config.max_wallclock_seconds:g} s"
        return f"The run stopped at {limit} before there was an answer."
    if ending.reason == "max_iterations":
        limit = f"its limit of {config.max_iterations} turns"
        return f"The run stopped at {limit} before there was an answer."
    if ending.reason == "stagnation":
        return "The run stopped because the model repeated itself and came to no answer."
    return f"The run stopped without an answer: {ending.error}"


CALL_NOT_RUN = "the run stopped before this call was done"


class RunRecorder:
    """What has happened so far. The result is made of the same events that the listener gets."""

    def __init__(self, transcript: Transcript, config: AgentConfig, listener: Listener) -> None:
        self._transcript = transcript
        self._config = config
        self._listener = listener
        self._record = IterationLog()
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
        return latest_output(self._record.iterations)

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

    def called(self, text: str, asks: Sequence[ResolvedCall]) -> None:
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
        self._transcript.answer_open(CALL_NOT_RUN)
        iterations = self._record.iterations
        answer = choose_answer(ending, iterations, self._config)
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

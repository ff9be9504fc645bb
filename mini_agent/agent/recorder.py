"""The recorder: emits a run's events, keeps its iterations, and makes its result of them."""

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
from mini_agent.messages import function_call
from mini_agent.result import (
    AgentResult,
    AnswerSource,
    Iteration,
    StoppedReason,
    ToolInvocation,
    Usage,
)
from mini_agent.tool_parsing.resolve import ResolvedCall

ASKED_AGAIN: Final = "the model was asked for an answer with its tools withheld"
CALL_NOT_RUN: Final = "the run stopped before this call was done"
MAX_OUTPUT_CHARS: Final = 4000


@dataclass(frozen=True, slots=True)
class Ending:
    """Why the run stopped, the model's last text if there is one, and the error if there is one.

    `client_calls` are the calls that the caller is to carry out.
    """

    reason: StoppedReason
    text: str = ""
    error: str | None = None
    client_calls: tuple[ResolvedCall, ...] = ()


class RunRecorder:
    """Records what happens in a run; the result is made of the events that the listener gets."""

    def __init__(self, transcript: Transcript, config: AgentConfig, listener: Listener) -> None:
        self._transcript = transcript
        self._config = config
        self._listener = listener
        self._log = IterationLog()
        self._started = perf_counter()

    @property
    def turns(self) -> int:
        """How many iterations there are."""
        return self._log.turns

    @property
    def useful_output(self) -> str:
        """The output of the last successful call that has any."""
        return last_useful_output(self._log.iterations)

    @property
    def latest_output(self) -> str:
        """The output of the last call; empty where it failed."""
        return latest_output(self._log.iterations)

    def emit(self, event: Event) -> None:
        """Records `event` and passes it to the listener."""
        self._log.apply(event)
        self._listener(event)

    def record_reply(self, turn: Turn, *, is_last_word: bool = False) -> None:
        """Records a turn of the model, which opens an iteration unless it is a last word."""
        calls = [RequestedCall(id=c.id, name=c.name, arguments=c.arguments) for c in turn.calls]
        self.emit(
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

    def record_calls(self, text: str, resolved: Sequence[ResolvedCall]) -> None:
        """Adds the resolved calls to the transcript, before any of them is executed."""
        self._transcript.add_calls(text, resolved)
        calls = [UnderstoodCall(id=c.id, name=c.name, arguments=c.arguments) for c in resolved]
        self.emit(CallsUnderstood(iteration=self.turns, calls=tuple(calls)))
        for call in resolved:
            if call.repaired:
                repaired = CallRepaired(
                    iteration=self.turns, tool_call_id=call.id, repaired=call.repaired
                )
                self.emit(repaired)

    def record_results(self, invocations: Sequence[ToolInvocation], directive: str) -> None:
        """Adds the results to the transcript, `directive` below the last one."""
        for call in invocations:
            is_last = call is invocations[-1]
            text = "\n".join(part for part in (call.text, directive if is_last else "") if part)
            self._transcript.add_result(call.tool_call_id, text)
            self.emit(Observation(iteration=self.turns, tool_call_id=call.tool_call_id, text=text))

    def record_directive(self, text: str) -> None:
        """Adds a message of the loop to the transcript."""
        self._transcript.add_directive(text)
        self.emit(Observation(iteration=max(1, self.turns), tool_call_id=None, text=text))

    def finish(self, ending: Ending, *, escalated: bool) -> AgentResult:
        """Makes the result and emits the last event."""
        if not ending.client_calls:
            self._transcript.close_calls(CALL_NOT_RUN)
        iterations = self._log.iterations
        answer = choose_answer(ending, iterations, self._config)
        result = AgentResult(
            final_answer=answer.text,
            answer_source=answer.source,
            stopped_reason=ending.reason,
            messages=self._transcript.copy(),
            iterations=iterations,
            used_model=iterations[-1].model if iterations else self._config.model,
            usage=self._log.usage,
            error=ending.error,
            escalated=escalated,
            tool_calls=tuple(
                function_call(call.id, call.name, call.arguments) for call in ending.client_calls
            ),
            total_ms=(perf_counter() - self._started) * 1000,
        )
        self.emit(Stopped(result=result))
        return result


class IterationLog:
    """The iterations of a run, built from its events; the newest one is still open."""

    def __init__(self) -> None:
        self._iterations: list[Iteration] = []
        self._finished: dict[str, ToolInvocation] = {}

    @property
    def iterations(self) -> tuple[Iteration, ...]:
        """All iterations, in order."""
        return tuple(self._iterations)

    @property
    def turns(self) -> int:
        """The number of iterations."""
        return len(self._iterations)

    @property
    def usage(self) -> Usage:
        """The tokens and price of all iterations together."""
        total = Usage()
        for each in self._iterations:
            total = total.plus(each.usage)
        return total

    def apply(self, event: Event) -> None:
        """Adds what `event` says; a call counts once its result is shown to the model."""
        match event:
            case ModelReplied(is_last_word=True) if self._iterations:
                self._add_last_word(event)
            case ModelReplied():
                self._open_iteration(event)
            case CallRepaired():
                newest = self._iterations[-1]
                self._amend(repaired=(*newest.repaired, *event.repaired))
            case ToolFinished():
                self._finished[event.invocation.tool_call_id] = event.invocation
            case Observation(tool_call_id=str(call_id)):
                invocation = self._finished.pop(call_id).model_copy(update={"text": event.text})
                earlier = self._iterations[-1].tool_invocations
                self._amend(tool_invocations=(*earlier, invocation))
            case _:
                pass

    def _open_iteration(self, reply: ModelReplied) -> None:
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

    def _add_last_word(self, reply: ModelReplied) -> None:
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


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """The text of the answer, never blank, and where it comes from."""

    text: str
    source: AnswerSource


def choose_answer(
    ending: Ending, iterations: Sequence[Iteration], config: AgentConfig
) -> FinalAnswer:
    """Chooses the model's text, else the last useful output, else a notice why the run stopped."""
    if ending.client_calls:
        return _describe_pause(ending, iterations, config)
    if ending.text:
        return FinalAnswer(ending.text, "model")
    output = last_useful_output(iterations)
    if output:
        return FinalAnswer(output, "tool_output")
    return FinalAnswer(_format_notice(ending, config), "notice")


def _describe_pause(
    ending: Ending, iterations: Sequence[Iteration], config: AgentConfig
) -> FinalAnswer:
    """What the conversation needs to go on from: the model's text, and what the run found out."""
    calls = [call for each in iterations for call in each.tool_invocations if call.ok]
    outputs = [f"{call.name} printed:\n{text}" for call in calls if (text := _call_output(call))]
    found = "\n\n".join(outputs)[-MAX_OUTPUT_CHARS:]
    text = "\n\n".join(part for part in (ending.text, found) if part)
    if text:
        return FinalAnswer(text, "model" if ending.text else "tool_output")
    return FinalAnswer(_format_notice(ending, config), "notice")


def last_useful_output(iterations: Sequence[Iteration]) -> str:
    """The output of the last successful call that has any; of long output the end."""
    calls = [call for each in iterations for call in each.tool_invocations if call.ok]
    outputs = (_call_output(call) for call in reversed(calls))
    return next((text[-MAX_OUTPUT_CHARS:] for text in outputs if text), "")


def latest_output(iterations: Sequence[Iteration]) -> str:
    """The output of the last call of all; empty when it failed."""
    calls = [call for each in iterations for call in each.tool_invocations]
    return _call_output(calls[-1])[-MAX_OUTPUT_CHARS:] if calls and calls[-1].ok else ""


def _call_output(call: ToolInvocation) -> str:
    value = call.execution.result_repr if call.execution else None
    return call.stdout.strip() or value or ""


def _format_notice(ending: Ending, config: AgentConfig) -> str:
    if ending.client_calls:
        names = ", ".join(dict.fromkeys(call.name for call in ending.client_calls))
        return f"The run waits for the result of {names}."
    if ending.reason == "budget":
        limit = f"its time limit of {config.max_wallclock_seconds:g} s"
        return f"The run stopped at {limit} before there was an answer."
    if ending.reason == "max_iterations":
        limit = f"its limit of {config.max_iterations} turns"
        return f"The run stopped at {limit} before there was an answer."
    if ending.reason == "stagnation":
        return "The run stopped because the model repeated itself and came to no answer."
    return f"The run stopped without an answer: {ending.error}"

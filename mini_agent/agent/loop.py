"""The loop: ask the model, carry out its calls, show it what came of them, until it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from mini_agent.agent.context_window import ContextWindow
from mini_agent.agent.deadline import Deadline, DeadlineExceeded
from mini_agent.agent.guardrails.evasion import NO_EVASION, Evasion, detect_evasion
from mini_agent.agent.guardrails.policy import Escalation, GuardrailPolicy
from mini_agent.agent.model_turn import TurnRequester, TurnRequest, Turn
from mini_agent.agent.normalize import normalize_messages
from mini_agent.agent.prompts import (
    INVALID_JSON_ANSWER,
    ANSWER_NOW,
    EMPTY_ANSWER,
    SYSTEM_PROMPT,
    EMPTY_TURN,
)
from mini_agent.agent.recorder import Ending, RunRecorder
from mini_agent.agent.structured_output import InvalidJsonAnswer, parse_response_format
from mini_agent.agent.tool_executor import ToolExecutor, list_tools
from mini_agent.agent.tracing import TracedModel, trace_run
from mini_agent.agent.transcript import Transcript
from mini_agent.config import AgentConfig
from mini_agent.errors import MiniAgentError
from mini_agent.events import Listener, RunStarted, ignore_event
from mini_agent.model import Model
from mini_agent.result import AgentResult, StoppedReason
from mini_agent.tool_parsing.text_spans import OfferedTools
from mini_agent.tool_parsing.reply import ANSWER_IN_REASONING
from mini_agent.tool_parsing.resolve import ResolvedCall, resolve_call
from mini_agent.tool_parsing.scanner import ParseOptions
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.wrappers import Quiet

NO_TOOLS: OfferedTools = {}


async def run_agent(
    messages: Sequence[Mapping[str, JsonValue]],
    invoker: Invoker,
    config: AgentConfig,
    model: Model,
    on_event: Listener = ignore_event,
) -> AgentResult:
    """One run, from the caller's messages to an answer that is never blank.

    Raises `BadRequest` for messages that no model can take and for a schema that is none, and
    nothing else: a model that fails and a tool that fails are part of the result. Cancelling the
    task cancels what is in progress. `on_event`, which must not raise, is told all that happens,
    last that the run has stopped, also by cancelling.
    """
    transcript = Transcript(normalize_messages(messages), SYSTEM_PROMPT if config.use_tools else "")
    story = RunRecorder(transcript, config, on_event)
    # Output in pieces costs more than output at once.
    used = Quiet(invoker) if on_event is ignore_event else invoker
    run = _AgentRun(transcript, story, used, config, TracedModel(model))
    return await trace_run(config, run.result())


class _AgentRun:
    def __init__(
        self,
        transcript: Transcript,
        story: RunRecorder,
        invoker: Invoker,
        config: AgentConfig,
        model: Model,
    ) -> None:
        self._transcript = transcript
        self._story = story
        self._config = config
        self._form = parse_response_format(config.response_format)
        self._deadline = Deadline.after(config.max_wallclock_seconds)
        self._escalation = Escalation(config, self._deadline)
        self._shown = ContextWindow(transcript, config)
        self._workbench = ToolExecutor(invoker, config, self._deadline, story.tell)
        self._asking = TurnRequester(
            model=model,
            config=config,
            deadline=self._deadline,
            transcript=transcript,
            shown=self._shown,
            escalation=self._escalation,
            form=self._form,
            tell=story.tell,
        )
        self._tools = NO_TOOLS
        self._progress = GuardrailPolicy(config, (), self._escalation)

    async def result(self) -> AgentResult:
        try:
            ending = await self._until_it_ends()
        except DeadlineExceeded:
            ending = Ending("budget")
        except MiniAgentError as broken:
            ending = Ending("error", error=str(broken))
        except asyncio.CancelledError:
            self._stopped(Ending("cancelled", error="the run was cancelled"))
            raise
        return self._stopped(ending)

    def _stopped(self, ending: Ending) -> AgentResult:
        return self._story.stopped(ending, escalated=self._escalation.has_escalated)

    async def _until_it_ends(self) -> Ending:
        if self._config.use_tools:
            self._tools = await list_tools(self._workbench.invoker, self._deadline)
            self._progress = GuardrailPolicy(self._config, self._tools, self._escalation)
        self._story.tell(self._started())
        while self._has_turns_left:
            self._before_turn()
            turn = await self._ask(self._tools, self._story.turns + 1)
            ending = await self._followed(turn)
            if ending:
                return ending
        return await self._closed("max_iterations")

    async def _ask(self, offered: OfferedTools, iteration: int) -> Turn:
        setting = ParseOptions(
            runs_code_blocks=self._config.auto_run_code_on_code_block,
            has_result=bool(self._story.useful_output),
            wants_json=self._form is not None,
            parses_text=self._config.salvage,
        )
        return await self._asking.turn(TurnRequest(iteration, offered, self._tools, setting))

    def _started(self) -> RunStarted:
        return RunStarted(
            model=self._config.model,
            tools=tuple(self._tools),
            max_iterations=self._config.max_iterations,
            max_wallclock_seconds=self._config.max_wallclock_seconds,
        )

    @property
    def _has_turns_left(self) -> bool:
        return self._story.turns < self._config.max_iterations

    def _before_turn(self) -> None:
        self._escalation.before_turn(self._story.turns)
        every = self._config.summarize_every
        if every and self._story.turns and self._story.turns % every == 0:
            self._shown.summarize()

    async def _followed(self, turn: Turn) -> Ending | None:
        """What the turn asks for is done; the ending, if it is one."""
        self._story.replied(turn)
        if turn.calls:
            return await self._carry_out(turn)
        return await self._answered(turn) if turn.text else await self._silent(turn)

    async def _carry_out(self, turn: Turn) -> Ending | None:
        # INVARIANT: every call of the turn gets its one tool message here, in call order.
        asks = list(self._asks(turn))
        self._story.called(turn.text, asks)
        invocations = await self._workbench.carried_out(asks, self._story.turns)
        advice = self._progress.after_calls(invocations)
        self._story.observed(invocations, advice.say)
        return await self._closed("stagnation") if advice.stop else None

    def _asks(self, turn: Turn) -> Iterator[ResolvedCall]:
        limit = self._config.max_tools_per_iter
        too_many = f"at most {limit} calls are run in one turn, so this one was not run"
        for count, call in enumerate(turn.calls, start=1):
            ask = resolve_call(call, self._transcript.unused_id(call.id), self._tools)
            yield replace(ask, problem=too_many) if count > limit else ask

    async def _answered(self, turn: Turn) -> Ending | None:
        self._transcript.model_said(turn.text)
        may_evade = bool(self._tools) and self._config.salvage
        evaded = self._evasion_of(turn) if may_evade else NO_EVASION
        if not self._has_turns_left:
            return await self._in_form(turn.text)
        advice = self._progress.after_answer(turn.text, evaded)
        if advice.stop and advice.discard and self._story.useful_output:
            return self._formed("success", "")
        if advice.stop:
            return Ending("stagnation", turn.text)
        if advice.say:
            self._story.loop_said(advice.say)
            return None
        return await self._in_form(turn.text)

    def _evasion_of(self, turn: Turn) -> Evasion:
        is_beside = turn.finish_reason == "length" or ANSWER_IN_REASONING in turn.repaired
        return detect_evasion(turn.text, self._story.newest_output, is_beside=is_beside)

    async def _in_form(self, text: str) -> Ending:
        try:
            return Ending("success", self._form.extract(text) if self._form else text)
        except InvalidJsonAnswer as wrong:
            again = await self._last_word(INVALID_JSON_ANSWER.format(why=wrong))
        return self._formed("success", again.text) if self._form else Ending("success", again.text)

    async def _silent(self, turn: Turn) -> Ending | None:
        """A blank turn is asked again, without tools if there is something to answer from."""
        has_output = bool(self._story.useful_output)
        may_work = bool(self._tools) and not has_output and self._has_turns_left
        self._story.loop_said(EMPTY_TURN if may_work else EMPTY_ANSWER)
        tools = self._tools if may_work else NO_TOOLS
        again = await self._ask(tools, self._story.turns)
        if again.calls and self._has_turns_left and (may_work or not again.text):
            return await self._followed(again)
        self._take_last_word(again)
        words = again.text or ("" if has_output else again.reasoning or turn.reasoning)
        if words or has_output:
            return self._formed("success", words)
        return Ending("error", error="the model gave an empty answer twice")

    async def _closed(self, reason: StoppedReason) -> Ending:
        """The ending of a run that may not go on: the model is asked for what it has."""
        try:
            return self._formed(reason, self._words_of(await self._last_word(ANSWER_NOW)))
        except MiniAgentError as broken:
            return Ending(reason, error=str(broken))

    def _words_of(self, turn: Turn) -> str:
        """The text of a last word, unless there is output and it is only more code to run."""
        wants_to_run = any(call.form == "code" for call in turn.calls)
        evades = wants_to_run or bool(self._evasion_of(turn).kind)
        return "" if evades and self._story.useful_output else turn.text

    async def _last_word(self, nudge: str) -> Turn:
        """What the model says when it is asked once more, with its tools withheld."""
        self._story.loop_said(nudge)
        turn = await self._ask(NO_TOOLS, max(1, self._story.turns))
        self._take_last_word(turn)
        return turn

    def _take_last_word(self, turn: Turn) -> None:
        self._story.replied(turn, is_last_word=True)
        if turn.text:
            self._transcript.model_said(turn.text)

    def _formed(self, reason: StoppedReason, text: str) -> Ending:
        """An ending with `text` in the form that was asked for, or the error that it is not."""
        try:
            return Ending(reason, self._form.extract(text) if self._form and text else text)
        except InvalidJsonAnswer as wrong:
            error = f"the answer is not the JSON that was asked for: {wrong}"
            return Ending("error" if reason == "success" else reason, text, error)

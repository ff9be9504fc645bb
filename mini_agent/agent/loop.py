"""The agent loop: request a turn, execute its calls, show the results, until there is an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue

from mini_agent.agent.context_window import ContextWindow
from mini_agent.agent.deadline import Deadline, DeadlineExceeded
from mini_agent.agent.guardrails.evasion import NO_EVASION, Evasion, detect_evasion
from mini_agent.agent.guardrails.policy import (
    BrokenArgumentsGuardrail,
    Escalation,
    GuardrailPolicy,
)
from mini_agent.agent.model_turn import Turn, TurnRequest, TurnRequester
from mini_agent.agent.normalize import normalize_messages
from mini_agent.agent.prompted_tools import describe_tools, parse_step
from mini_agent.agent.prompts import (
    ANSWER_NOW,
    BROKEN_ARGUMENTS,
    EMPTY_ANSWER,
    EMPTY_TURN,
    INVALID_JSON_ANSWER,
    LAST_NUDGE,
    SYSTEM_PROMPT,
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
from mini_agent.tool_parsing.denials import forbids_execution
from mini_agent.tool_parsing.reply import ANSWER_IN_REASONING, is_only_calls
from mini_agent.tool_parsing.resolve import ResolvedCall, resolve_call
from mini_agent.tool_parsing.scanner import ParseOptions
from mini_agent.tool_parsing.text_spans import OfferedTools
from mini_agent.tools.arguments import parse_tools
from mini_agent.tools.changes import LISTING_RUN, ToolChanges
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.wrappers import BufferedInvoker

NO_TOOLS: OfferedTools = {}


async def run_agent(
    messages: Sequence[Mapping[str, JsonValue]],
    invoker: Invoker,
    config: AgentConfig,
    model: Model,
    on_event: Listener = ignore_event,
) -> AgentResult:
    """Runs the agent from the caller's messages to an answer that is never blank.

    Raises `BadRequest` for messages that no model can take and for an invalid schema, and nothing
    else: a failing model or tool is part of the result. Cancelling the task cancels what is in
    progress. `on_event`, which must not raise, is called with every event; the last one is
    `Stopped`, also for a cancelled run.
    """
    instructions = SYSTEM_PROMPT if config.use_tools else ""
    transcript = Transcript(normalize_messages(messages), instructions)
    recorder = RunRecorder(transcript, config, on_event)
    # Streaming a tool's output costs more than one output at the end.
    tools = BufferedInvoker(invoker) if on_event is ignore_event else invoker
    run = _AgentRun(transcript, recorder, tools, config, TracedModel(model))
    return await trace_run(config, run.execute())


class _AgentRun:
    def __init__(
        self,
        transcript: Transcript,
        recorder: RunRecorder,
        invoker: Invoker,
        config: AgentConfig,
        model: Model,
    ) -> None:
        self._transcript = transcript
        self._recorder = recorder
        self._config = config
        self._json_format = parse_response_format(config.response_format)
        self._deadline = Deadline.after(config.max_wallclock_seconds)
        self._escalation = Escalation(config, self._deadline)
        self._context_window = ContextWindow(transcript, config)
        self._executor = ToolExecutor(invoker, config, self._deadline, recorder.emit)
        self._requester = TurnRequester(
            model=model,
            config=config,
            deadline=self._deadline,
            transcript=transcript,
            context_window=self._context_window,
            escalation=self._escalation,
            json_format=self._json_format,
            emit=recorder.emit,
        )
        self._client_tools = parse_tools(config.client_tools)
        self._tools, self._changes = NO_TOOLS, ToolChanges()
        self._guardrails = GuardrailPolicy(config, (), self._escalation)
        self._broken_arguments = BrokenArgumentsGuardrail()
        self._runs_code_blocks = config.auto_run_code_on_code_block and not forbids_execution(
            transcript.task
        )

    async def execute(self) -> AgentResult:
        try:
            ending = await self._run_turns()
        except DeadlineExceeded:
            ending = Ending("budget")
        except MiniAgentError as broken:
            ending = Ending("error", error=str(broken))
        except asyncio.CancelledError:
            self._finish(Ending("cancelled", error="the run was cancelled"))
            raise
        return self._finish(ending)

    def _finish(self, ending: Ending) -> AgentResult:
        return self._recorder.finish(ending, escalated=self._escalation.has_escalated)

    async def _run_turns(self) -> Ending:
        LISTING_RUN.set(self._changes)
        if self._config.use_tools:
            await self._list_tools()
            self._guardrails = GuardrailPolicy(self._config, self._tools, self._escalation)
        self._recorder.emit(self._run_started_event())
        while self._has_turns_left:
            self._prepare_turn()
            if self._changes.is_pending:
                await self._list_tools()
            offered = NO_TOOLS if self._broken_arguments.wants_text else self._tools
            turn = await self._request_turn(offered, self._recorder.turns + 1)
            ending = await self._handle_turn(turn)
            if ending:
                return ending
        return await self._close("max_iterations")

    async def _list_tools(self) -> None:
        self._changes.is_pending = False
        own = await list_tools(self._executor.invoker, self._deadline)
        # Of two tools with one name the caller means its own.
        self._tools = {**own, **self._client_tools}

    def _run_started_event(self) -> RunStarted:
        return RunStarted(
            model=self._config.model,
            tools=tuple(self._tools),
            max_iterations=self._config.max_iterations,
            max_wallclock_seconds=self._config.max_wallclock_seconds,
        )

    @property
    def _has_turns_left(self) -> bool:
        return self._recorder.turns < self._config.max_iterations

    def _prepare_turn(self) -> None:
        self._escalation.before_turn(self._recorder.turns)
        every = self._config.summarize_every
        if every and self._recorder.turns and self._recorder.turns % every == 0:
            self._context_window.summarize()

    async def _request_turn(self, offered: OfferedTools, iteration: int) -> Turn:
        options = ParseOptions(
            runs_code_blocks=self._runs_code_blocks,
            has_result=bool(self._recorder.useful_output),
            wants_json=self._json_format is not None,
            parses_text=self._config.salvage,
        )
        return await self._requester.request(TurnRequest(iteration, offered, self._tools, options))

    async def _handle_turn(self, turn: Turn) -> Ending | None:
        """Does what the turn asks for; returns the ending if the run is over."""
        self._recorder.record_reply(turn)
        if turn.calls:
            return await self._execute_calls(turn)
        return await self._handle_answer(turn) if turn.text else await self._handle_blank(turn)

    async def _execute_calls(self, turn: Turn) -> Ending | None:
        # INVARIANT: every call of the turn gets its one tool message here, in call order, but for
        # calls of the caller's tools, which end the run.
        calls = list(self._resolve_calls(turn))
        self._recorder.record_calls(turn.text, calls)
        client_calls = tuple(each for each in calls if self._is_for_client(each))
        own_calls = [each for each in calls if each not in client_calls]
        invocations = await self._executor.execute(own_calls, self._recorder.turns)
        if client_calls:
            self._recorder.record_results(invocations, "")
            return Ending("tool_calls", turn.text, client_calls=client_calls)
        advice = self._guardrails.after_calls(invocations)
        directive = self._ask_for_text_calls(calls) or advice.directive
        self._recorder.record_results(invocations, directive)
        return await self._close("stagnation") if advice.stop else None

    def _ask_for_text_calls(self, calls: Sequence[ResolvedCall]) -> str:
        """The directive for a model that cannot write the arguments of native calls, else empty."""
        if not self._config.salvage:
            return ""
        self._broken_arguments.observe(calls)
        is_asked = self._broken_arguments.wants_text
        return BROKEN_ARGUMENTS.format(tools=describe_tools(self._tools)) if is_asked else ""

    def _is_for_client(self, call: ResolvedCall) -> bool:
        return call.name in self._client_tools and not call.problem

    def _resolve_calls(self, turn: Turn) -> Iterator[ResolvedCall]:
        limit = self._config.max_tools_per_iter
        too_many = f"at most {limit} calls are run in one turn, so this one was not run"
        for count, call in enumerate(turn.calls, start=1):
            resolved = resolve_call(call, self._transcript.reserve_id(call.id), self._tools)
            yield replace(resolved, problem=too_many) if count > limit else resolved

    async def _handle_answer(self, turn: Turn) -> Ending | None:
        self._transcript.add_answer(turn.text)
        may_evade = bool(self._tools) and self._config.salvage
        evasion = self._detect_evasion(turn) if may_evade else NO_EVASION
        if not self._has_turns_left:
            return await self._accept_answer(turn.text)
        advice = self._guardrails.after_answer(turn.text, evasion)
        if advice.stop and advice.discard and self._recorder.useful_output:
            return self._end_with_answer("success", "")
        if advice.stop:
            return Ending("stagnation", turn.text)
        if advice.directive:
            self._recorder.record_directive(advice.directive)
            return None
        return await self._accept_answer(turn.text)

    def _detect_evasion(self, turn: Turn) -> Evasion:
        is_beside = turn.finish_reason == "length" or ANSWER_IN_REASONING in turn.repaired
        return detect_evasion(turn.text, self._recorder.latest_output, is_beside=is_beside)

    async def _accept_answer(self, text: str) -> Ending:
        """Ends the run with `text`; an answer that is not the JSON asked for is requested again."""
        if self._json_format is None:
            return Ending("success", text)
        try:
            return Ending("success", self._json_format.extract(text))
        except InvalidJsonAnswer as wrong:
            retry = await self._request_answer(INVALID_JSON_ANSWER.format(why=wrong))
        return self._end_with_answer("success", retry.text)

    async def _handle_blank(self, turn: Turn) -> Ending | None:
        """Requests a blank turn again, without tools if there is something to answer from."""
        has_output = bool(self._recorder.useful_output)
        may_work = bool(self._tools) and not has_output and self._has_turns_left
        self._recorder.record_directive(EMPTY_TURN if may_work else EMPTY_ANSWER)
        tools = self._tools if may_work else NO_TOOLS
        retry = await self._request_turn(tools, self._recorder.turns)
        if retry.calls and self._has_turns_left and (may_work or not retry.text):
            return await self._handle_turn(retry)
        self._record_last_word(retry)
        text = self._usable_text(retry)
        if may_work and self._config.salvage and not text:
            return await self._handle_silence(retry.reasoning or turn.reasoning)
        answer = text or ("" if has_output else retry.reasoning or turn.reasoning)
        if answer or has_output:
            return self._end_with_answer("success", answer)
        return Ending("error", error="the model gave an empty answer twice")

    async def _handle_silence(self, thoughts: str) -> Ending | None:
        """Asks a model that was silent twice in other words, with its tools as text."""
        directive = LAST_NUDGE.format(tools=describe_tools(self._tools))
        self._recorder.record_directive(directive)
        turn = await self._request_turn(NO_TOOLS, self._recorder.turns)
        if turn.calls:
            return await self._handle_turn(turn)
        self._record_last_word(turn)
        step = parse_step(turn.text)
        answer = (step if isinstance(step, str) else turn.text) or turn.reasoning or thoughts
        if answer:
            return self._end_with_answer("success", answer)
        return Ending("error", error="the model gave an empty answer three times")

    async def _close(self, reason: StoppedReason) -> Ending:
        """Ends a run that may not go on: requests an answer from what there is."""
        try:
            turn = await self._request_answer(ANSWER_NOW)
            return self._end_with_answer(reason, self._usable_text(turn))
        except MiniAgentError as broken:
            return Ending(reason, error=str(broken))

    def _usable_text(self, turn: Turn) -> str:
        """The text of a last word; empty where it only calls, wants to run, promises or evades."""
        if is_only_calls(turn.text, self._tools):
            return ""
        evades = bool(self._detect_evasion(turn).kind)
        if self._recorder.useful_output:
            wants_to_run = any(call.form == "code" for call in turn.calls)
            return "" if wants_to_run or evades else turn.text
        return "" if evades and turn.calls else turn.text

    async def _request_answer(self, directive: str) -> Turn:
        """Requests one more turn, without tools."""
        self._recorder.record_directive(directive)
        turn = await self._request_turn(NO_TOOLS, max(1, self._recorder.turns))
        self._record_last_word(turn)
        return turn

    def _record_last_word(self, turn: Turn) -> None:
        self._recorder.record_reply(turn, is_last_word=True)
        if turn.text:
            self._transcript.add_answer(turn.text)

    def _end_with_answer(self, reason: StoppedReason, text: str) -> Ending:
        """Ends with `text` in the format asked for, or with the error that it has another one.

        Without a text the output of a tool is the answer, which has to have the format as well.
        """
        said = text or self._recorder.useful_output
        if self._json_format is None or not said:
            return Ending(reason, text)
        try:
            found = self._json_format.extract(said)
            return Ending(reason, found if text or found != said.strip() else "")
        except InvalidJsonAnswer as wrong:
            error = f"the answer is not the JSON that was asked for: {wrong}"
            return Ending("error" if reason == "success" else reason, text, error)

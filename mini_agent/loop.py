"""The loop: ask the model, carry out its calls, show it what came of them, until it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from pydantic import JsonValue

from mini_agent.answer import Ending, answer_of, last_useful_output
from mini_agent.config import AgentConfig
from mini_agent.conversation import checked
from mini_agent.deadline import Deadline, OutOfTime
from mini_agent.errors import MiniAgentError
from mini_agent.invocation import carried_out, listed_tools
from mini_agent.model import Model
from mini_agent.prompt import ANSWER_NOW, ANSWER_WAS_EMPTY, SYSTEM
from mini_agent.record import Record
from mini_agent.result import AgentResult
from mini_agent.tools.invoker import Invoker
from mini_agent.tools.observation import REPAIR
from mini_agent.tools.offered import OfferedTool
from mini_agent.transcript import Transcript
from mini_agent.turn import Turn, next_turn, request_for
from mini_agent.understood import CUT_OFF, Ask, understood

NO_TOOLS: Mapping[str, OfferedTool] = {}


async def run_agent(
    messages: Sequence[Mapping[str, JsonValue]],
    invoker: Invoker,
    config: AgentConfig,
    model: Model,
) -> AgentResult:
    """One run, from the caller's messages to an answer that is never blank.

    Raises `BadRequest` for messages that no model can take, and nothing else: a model that fails
    and a tool that fails are part of the result. Cancelling the task cancels what is in progress.
    """
    transcript = Transcript(checked(messages), SYSTEM if config.use_tools else "")
    return await _Run(transcript, invoker, config, model).result()


class _Run:
    def __init__(
        self, transcript: Transcript, invoker: Invoker, config: AgentConfig, model: Model
    ) -> None:
        self._transcript = transcript
        self._invoker = invoker
        self._config = config
        self._model = model
        self._deadline = Deadline.after(config.max_wallclock_seconds)
        self._tools = NO_TOOLS
        self._record = Record()

    async def result(self) -> AgentResult:
        started = perf_counter()
        try:
            ending = await self._until_it_ends()
        except OutOfTime:
            ending = Ending("budget")
        except MiniAgentError as broken:
            ending = Ending("error", error=str(broken))
        iterations = self._record.iterations
        answer = answer_of(ending, iterations, self._config)
        return AgentResult(
            final_answer=answer.text,
            answer_source=answer.source,
            stopped_reason=ending.reason,
            messages=self._transcript.copy(),
            iterations=iterations,
            used_model=iterations[-1].model if iterations else self._config.model,
            usage=self._record.usage,
            error=ending.error,
            total_ms=(perf_counter() - started) * 1000,
        )

    async def _until_it_ends(self) -> Ending:
        if self._config.use_tools:
            self._tools = await listed_tools(self._invoker, self._deadline)
        for _ in range(self._config.max_iterations):
            turn = await self._ask(self._tools)
            if not turn.calls:
                return await self._answered(turn)
            await self._carry_out(turn)
        return await self._out_of_turns()

    async def _ask(self, tools: Mapping[str, OfferedTool]) -> Turn:
        request = request_for(
            self._config,
            self._transcript.copy(),
            [tool.schema for tool in tools.values()],
            self._deadline.remaining,
        )
        return await next_turn(self._model, request, self._deadline)

    async def _carry_out(self, turn: Turn) -> None:
        # INVARIANT: every call of the turn gets its one tool message here, in call order.
        asks = list(self._asks(turn))
        self._record.opened(turn, asks)
        self._transcript.model_called(turn.text, asks)
        directive = REPAIR if self._config.enable_repair else ""
        for ask in asks:
            invocation = await carried_out(ask, self._invoker, self._deadline, directive)
            self._transcript.tool_answered(ask.id, invocation.text)
            self._record.tool_ran(invocation)

    def _asks(self, turn: Turn) -> Iterator[Ask]:
        limit = self._config.max_tools_per_iter
        too_many = f"at most {limit} calls are run in one turn, so this one was not run"
        for count, call in enumerate(turn.calls, start=1):
            ask = understood(call, self._transcript.unused_id(call.id), self._tools)
            if turn.is_cut_off and count == len(turn.calls):
                yield replace(ask, problem=CUT_OFF)
            elif count > limit:
                yield replace(ask, problem=too_many)
            else:
                yield ask

    async def _answered(self, turn: Turn) -> Ending:
        self._record.opened(turn)
        if turn.text:
            self._transcript.model_said(turn.text)
            return Ending("success", turn.text)
        text = await self._last_word(ANSWER_WAS_EMPTY)
        if text or last_useful_output(self._record.iterations):
            return Ending("success", text)
        return Ending("error", error="the model gave an empty answer twice")

    async def _out_of_turns(self) -> Ending:
        try:
            return Ending("max_iterations", await self._last_word(ANSWER_NOW))
        except MiniAgentError as broken:
            return Ending("max_iterations", error=str(broken))

    async def _last_word(self, nudge: str) -> str:
        """What the model says when it is asked once more, with its tools withheld."""
        self._transcript.loop_says(nudge)
        turn = await self._ask(NO_TOOLS)
        if turn.text:
            self._transcript.model_said(turn.text)
        self._record.asked_again(turn)
        return turn.text

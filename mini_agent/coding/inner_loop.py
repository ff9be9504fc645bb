"""The inner loop: runs the library's agent on a session and records each event in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final

from mini_agent.agent.deadline import Deadline
from mini_agent.agent.loop import run_agent
from mini_agent.agent.tool_executor import ToolExecutor, list_tools
from mini_agent.coding.compaction import NO_LIMIT, ContextLimit
from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.recorder import SessionRecorder
from mini_agent.coding.transcript.session import NO_USAGE, Session
from mini_agent.coding.usage import TurnOutcome, TurnStatus
from mini_agent.config import AgentConfig
from mini_agent.errors import MiniAgentError
from mini_agent.events import CallsUnderstood, Event, Listener, ModelAsked, ModelReplied
from mini_agent.messages import Message, function_call
from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall, is_ollama
from mini_agent.result import AgentResult, StoppedReason, Usage
from mini_agent.tool_parsing.resolve import ResolvedCall, resolve_call
from mini_agent.tools.invoker import (
    Invoker,
    OpenAIToolCall,
    OutputListener,
    Tool,
    ToolOutput,
    forward_call,
)

NO_DEADLINE_S: Final = 86_400.0
MAX_TURNS: Final = 1000
# In tokens; Ollama's default context is too small for a session with its tools.
OLLAMA_NUM_CTX: Final = 32_768
# How often Stop hooks may keep one run from ending.
MAX_STOP_RETRIES: Final = 10
STATUS_BY_REASON: Final[dict[StoppedReason, TurnStatus]] = {
    "success": "done",
    "max_iterations": "max_turns",
}


@dataclass
class InnerLoop:
    """Asks the model and executes its calls until it makes none.

    With `withhold_tools` the first calls end the run; a full `context_limit` ends it before the
    next request. Cancelling stops what is running and records the interrupt in the session.
    """

    session: Session
    model: Model
    tools: Invoker
    config: AgentConfig
    listener: Listener
    withhold_tools: bool = False
    context_limit: ContextLimit = NO_LIMIT
    _last_usage: Usage = NO_USAGE
    _total_usage: Usage = NO_USAGE
    _turns: int = 0
    _task: asyncio.Task[TurnOutcome] | None = None
    _fault: MiniAgentError | None = None
    _is_cancelled: bool = False
    _stop_reason: str = ""
    _recorder: SessionRecorder = field(init=False)

    def __post_init__(self) -> None:
        self._recorder = SessionRecorder(self.session, self._on_write_error)

    async def run(self, system: Sequence[Message]) -> TurnOutcome:
        """Run until the model's answer; raises `MiniAgentError` where it cannot be recorded."""
        self._last_usage, self._total_usage = NO_USAGE, NO_USAGE
        result = await self._run_cancellable(self._run(system))
        if result is not None:
            return result
        if self._stop_reason:
            error, self._stop_reason = self._stop_reason, ""
            return TurnOutcome("failed", error=error, usage=self._total_usage, turns=self._turns)
        if self.session.pending:
            return TurnOutcome("withheld", withheld=self.session.pending, usage=self._total_usage)
        return TurnOutcome("full", usage=self._total_usage, turns=self._turns)

    def stop(self, reason: str) -> None:
        """End the run before the next request, as a hook asked."""
        self._stop_reason = f"a hook stopped the run: {reason or 'it gave no reason'}"

    async def execute_pending(self) -> TurnOutcome | None:
        """Execute calls that an earlier run left open; where tools are withheld, return them."""
        pending = self.session.pending
        if not pending:
            return None
        if self.withhold_tools:
            return TurnOutcome("withheld", withheld=pending)
        await self._run_cancellable(self._execute(pending))
        return None

    async def _run(self, system: Sequence[Message]) -> TurnOutcome:
        messages = [*system, *self.session.messages]
        cancellable = CancellableRun(self.model, self.tools, lambda: self._is_cancelled)
        result = await run_agent(messages, cancellable, self.config, cancellable, self._on_event)
        return _build_outcome(result)

    async def _execute(self, pending: Sequence[ToolUse]) -> TurnOutcome:
        deadline = Deadline.after(NO_DEADLINE_S)
        tools = await list_tools(self.tools, deadline)
        calls: list[ResolvedCall] = []
        for tool_use in pending:
            written = function_call(tool_use.id, tool_use.name, tool_use.arguments)
            function = written["function"]
            text = str(function["arguments"]) if isinstance(function, dict) else "{}"
            calls.append(
                resolve_call(ToolCall(tool_use.id, tool_use.name, text), tool_use.id, tools)
            )
        await ToolExecutor(self.tools, self.config, deadline, self._on_event).execute(calls, 1)
        return TurnOutcome("done")

    async def _run_cancellable(
        self, work: Coroutine[object, object, TurnOutcome]
    ) -> TurnOutcome | None:
        """Run `work` to its result; None where this loop cancelled it itself."""
        self._fault, self._is_cancelled = None, False
        self._task = asyncio.create_task(work)
        try:
            await asyncio.wait({self._task})
        except asyncio.CancelledError:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._recorder.record_interrupt()
            raise
        if self._fault is not None:
            raise self._fault
        return None if self._task.cancelled() else self._task.result()

    def _on_event(self, event: Event) -> None:
        self._recorder.record(event)
        self.listener(event)
        match event:
            case CallsUnderstood() if self.withhold_tools:
                self._cancel()
            case ModelReplied():
                self._last_usage = event.usage
                self._total_usage = self._total_usage.plus(event.usage)
                self._turns = event.iteration
            case ModelAsked() if self._stop_reason or self.context_limit.is_full(self._last_usage):
                self._cancel()
            case _:
                pass

    def _on_write_error(self, fault: MiniAgentError) -> None:
        self._fault = self._fault or fault
        self._cancel()

    def _cancel(self) -> None:
        self._is_cancelled = True
        if self._task is not None:
            self._task.cancel()


@dataclass(frozen=True, slots=True)
class CancellableRun:
    """The model and the tools of a run; once `is_cancelled`, new calls wait to be cancelled."""

    model: Model
    tools: Invoker
    is_cancelled: Callable[[], bool]

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Ask the model."""
        await self._wait_if_cancelled()
        return await self.model.reply(request)

    async def list_openai_tools(self) -> list[Tool]:
        """List the tools of the run."""
        return await self.tools.list_openai_tools()

    async def call_openai_tool(self, openai_tool: OpenAIToolCall) -> str | ToolOutput:
        """Call a tool."""
        await self._wait_if_cancelled()
        return await self.tools.call_openai_tool(openai_tool)

    async def stream_openai_tool(
        self, openai_tool: OpenAIToolCall, listener: OutputListener
    ) -> str | ToolOutput:
        """Call a tool, passing its output to `listener` as it comes."""
        await self._wait_if_cancelled()
        return await forward_call(self.tools, openai_tool, listener)

    async def _wait_if_cancelled(self) -> None:
        if self.is_cancelled():
            await asyncio.Event().wait()


def build_config(model: str, max_turns: int | None = None) -> AgentConfig:
    """Build the config of a run that goes on for as long as the model calls tools.

    Calls are parsed from text only for small local models, which write them so.
    """
    local = is_ollama(model) or model.startswith("llamafile/")
    return AgentConfig(
        model=model,
        max_iterations=max_turns or MAX_TURNS,
        max_wallclock_seconds=NO_DEADLINE_S,
        max_tools_per_iter=100,
        tool_concurrency=10,
        stagnation_window=5,
        auto_run_code_on_code_block=False,
        salvage=local,
        enable_repair=False,
        research_on_unsure=False,
        research_after_failures=False,
        max_history_messages=10_000,
        num_ctx=OLLAMA_NUM_CTX if is_ollama(model) else None,
    )


def _build_outcome(result: AgentResult) -> TurnOutcome:
    status = STATUS_BY_REASON.get(result.stopped_reason, "failed")
    if result.stopped_reason == "stagnation" and result.answer_source == "model":
        status = "done"
    error = "" if status == "done" else result.error or result.final_answer
    return TurnOutcome(
        status=status,
        answer=result.final_answer if result.answer_source == "model" else "",
        error=error,
        usage=result.usage,
        turns=len(result.iterations),
        model_ms=result.model_ms,
    )

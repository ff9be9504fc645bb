"""The inner loop: runs the library's agent on a session and records each event in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from mini_agent.agent.deadline import Deadline
from mini_agent.agent.loop import run_agent
from mini_agent.agent.tool_executor import ToolExecutor, list_tools
from mini_agent.coding.compaction import NO_LIMIT, ContextLimit
from mini_agent.coding.pictures import find_pictures, insert_pictures
from mini_agent.coding.transcript.messages import ToolUse
from mini_agent.coding.transcript.recorder import SessionRecorder
from mini_agent.coding.transcript.session import NO_USAGE, Session
from mini_agent.coding.usage import TurnOutcome, build_outcome
from mini_agent.config import AgentConfig
from mini_agent.errors import ContextTooLong, MiniAgentError, ModelError
from mini_agent.events import (
    CallsUnderstood,
    Event,
    Listener,
    ModelAsked,
    ModelReplied,
    ToolFinished,
)
from mini_agent.messages import JsonObject, Message, function_call
from mini_agent.model import Model, ModelReply, ModelRequest, ToolCall, is_ollama
from mini_agent.result import Usage
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
TOO_LONG_HINT: Final = (
    "begin anew with /clear, or a new session; start the server with a larger context "
    "(llama-server -c, vLLM --max-model-len, LM Studio's context length), or name another --model"
)
# Of hints that are written for the library's users.
LIBRARY_HINTS: Final = (", or pass api_key", ", or completion_kwargs")


@dataclass
class InnerLoop:
    """Asks the model and executes its calls until it makes none.

    With `withhold_tools` the first calls end the run; a full `context_limit` ends it before the
    next request, and with `ends_at_overflow` so does a server that says it is full. Cancelling
    stops what is running and records the interrupt in the session.
    """

    session: Session
    model: Model
    tools: Invoker
    config: AgentConfig
    listener: Listener
    withhold_tools: bool = False
    context_limit: ContextLimit = NO_LIMIT
    ends_at_overflow: bool = False
    _last_reply: ModelReplied | None = None
    _words: str = ""
    _overflow: ContextTooLong | None = None
    _pictures: dict[str, list[JsonObject]] = field(default_factory=dict)
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

    async def run(self, system: Sequence[Message], max_turns: int | None = None) -> TurnOutcome:
        """Run until the model's answer; raises `MiniAgentError` where it cannot be recorded.

        `max_turns` is what is left of the turns of the config.
        """
        self._last_usage, self._total_usage, self._turns = NO_USAGE, NO_USAGE, 0
        self._last_reply, self._words, self._overflow, self._pictures = None, "", None, {}
        result = await self._run_cancellable(self._run(system, max_turns))
        if result is not None:
            return result
        if self._stop_reason:
            error, self._stop_reason = self._stop_reason, ""
            return TurnOutcome("failed", error=error, usage=self._total_usage, turns=self._turns)
        if self.session.pending:
            return TurnOutcome("withheld", withheld=self.session.pending, usage=self._total_usage)
        error = str(self._overflow or "")
        return TurnOutcome("full", error=error, usage=self._total_usage, turns=self._turns)

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

    async def _run(self, system: Sequence[Message], max_turns: int | None) -> TurnOutcome:
        messages = [*system, *self.session.messages]
        config = self.config.model_copy(
            update={"max_iterations": max_turns or self.config.max_iterations}
        )
        cancellable = CancellableRun(self._ask, self.tools, lambda: self._is_cancelled)
        result = await run_agent(messages, cancellable, config, cancellable, self._on_event)
        finish = self._last_reply.finish_reason if self._last_reply else ""
        return build_outcome(result, self._words, finish, self.config.max_iterations)

    async def _ask(self, request: ModelRequest) -> ModelReply:
        messages = insert_pictures(request.messages, self._pictures)
        try:
            return await self.model.reply(replace(request, messages=messages))
        except ContextTooLong as fault:
            fault.hint = TOO_LONG_HINT
            if not self.ends_at_overflow:
                raise
            self._overflow = fault
            self._cancel()
            # Until the cancellation arrives.
            return await asyncio.Event().wait() and ModelReply()
        except ModelError as fault:
            for words in LIBRARY_HINTS:
                fault.hint = fault.hint.replace(words, "")
            raise

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
                self._on_reply(event)
            case ToolFinished():
                self._pictures[event.invocation.tool_call_id] = find_pictures(event.invocation)
            case ModelAsked() if self._stop_reason or self.context_limit.is_full(self._last_usage):
                self._cancel()
            case _:
                pass

    def _on_reply(self, reply: ModelReplied) -> None:
        self._last_reply, self._words = reply, reply.text or self._words
        self._last_usage = reply.usage
        self._total_usage = self._total_usage.plus(reply.usage)
        self._turns = reply.iteration

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

    ask: Callable[[ModelRequest], Awaitable[ModelReply]]
    tools: Invoker
    is_cancelled: Callable[[], bool]

    async def reply(self, request: ModelRequest) -> ModelReply:
        """Ask the model."""
        await self._wait_if_cancelled()
        return await self.ask(request)

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

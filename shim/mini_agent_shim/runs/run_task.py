"""A run in progress: an asyncio task that callers wait for, follow and cancel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from mini_agent.errors import BadRequest, ErrorBody, MiniAgentError
from mini_agent.events import Event, Listener
from mini_agent.remote.schema import AgentRunRequest
from mini_agent.result import AgentResult
from mini_agent_protocol.asgi.disconnect import ClientDisconnected
from mini_agent_protocol.asgi.problems import error_body
from mini_agent_shim import metrics
from mini_agent_shim.errors import RunLogUnavailable
from mini_agent_shim.runs.recorder import RunLogWriter, with_run_log
from mini_agent_shim.runs.schema import State, run_state

CANCEL_TIMEOUT_S: Final = 2.0

Work: TypeAlias = Callable[[Listener], Coroutine[object, object, AgentResult]]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run executes: the request, its model, and the coroutine that reports to a listener."""

    request: AgentRunRequest
    model: str
    work: Work


class RunTask:
    """One run, from the queue to its end."""

    def __init__(self, plan: RunPlan, slots: asyncio.Semaphore) -> None:
        self._plan = plan
        self._slots = slots
        self._ending_as: State = "cancelled"
        self._has_started = False
        self._is_cancelled = False
        self._queues: list[asyncio.Queue[Event | None]] = []
        self._recorder: RunLogWriter | None = None
        self._task: asyncio.Task[AgentResult] | None = None

    @property
    def recorder(self) -> RunLogWriter:
        """The writer of its log; available once the run has started."""
        if self._recorder is None:
            raise RuntimeError("the run has not begun")
        return self._recorder

    def start(self, recorder: RunLogWriter, on_end: Callable[[], None]) -> None:
        """Start the task; `on_end` is called at its end."""
        self._recorder = recorder
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda task: _retrieve(task, on_end))

    def cancel(self) -> None:
        """Cancel the run."""
        # A task that is cancelled before its first step would not even record its end.
        self._is_cancelled = True
        if self._task is not None and self._has_started:
            self._task.cancel()

    async def end(self, state: State) -> None:
        """Cancel the run with this final state, and wait until it has ended."""
        if self._task is None or self._task.done():
            return
        self._ending_as = state
        if self._has_answer:
            await asyncio.wait({self._task}, timeout=CANCEL_TIMEOUT_S)
        self.cancel()
        await asyncio.wait({self._task}, timeout=CANCEL_TIMEOUT_S)

    @property
    def _has_answer(self) -> bool:
        """Tell whether only closing the sandbox is left to do."""
        result = self.recorder.result
        return result is not None and run_state(result) != "cancelled"

    async def result(self) -> AgentResult:
        """Wait for the result; raises why the run failed. Cancelling this does not end the run."""
        if self._task is None:
            raise RuntimeError("the run has not begun")
        return await asyncio.shield(self._task)

    def events(self) -> AsyncGenerator[Event, None]:
        """Yield the events from now to the end; then raise what `result` raises."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._queues.append(queue)
        return self._read_queue(queue)

    async def _read_queue(self, queue: asyncio.Queue[Event | None]) -> AsyncGenerator[Event, None]:
        while (event := await queue.get()) is not None:
            yield event
        await self.result()

    async def _run(self) -> AgentResult:
        recorder = self.recorder
        self._has_started = True
        try:
            result = await self._run_in_slot()
        except asyncio.CancelledError:
            return self._record_cancelled()
        except BadRequest:
            recorder.discard()
            raise
        except Exception as broken:
            # Closing a sandbox can fail, which does not undo the run.
            if recorder.result is not None:
                return self._record_done(recorder.result)
            recorder.record_end("failed", _describe_error(broken))
            raise
        else:
            return self._record_done(result)
        finally:
            self._publish(None)

    async def _run_in_slot(self) -> AgentResult:
        if self._is_cancelled:
            raise asyncio.CancelledError
        with metrics.track_queued():
            await self._slots.acquire()
        try:
            with metrics.track_running():
                self.recorder.record_running()
                return await self._plan.work(self._listener)
        finally:
            self._slots.release()

    def _record_done(self, result: AgentResult) -> AgentResult:
        self.recorder.record_end(run_state(result))
        return result

    def _record_cancelled(self) -> AgentResult:
        recorder = self.recorder
        if recorder.is_broken:
            recorder.record_end("failed", _describe_error(_log_unavailable()))
            raise _log_unavailable()
        if recorder.result is not None and self._has_answer:
            return self._record_done(recorder.result)
        recorder.record_end(self._ending_as, _describe_end(self._ending_as))
        return recorder.result or _unstarted_result(self._plan, self._ending_as)

    @property
    def _listener(self) -> Listener:
        return with_run_log(self._record, self.recorder.summary.id)

    def _record(self, event: Event) -> None:
        metrics.count_event(event)
        self.recorder.record(event)
        self._publish(event)

    def _publish(self, event: Event | None) -> None:
        for queue in self._queues:
            queue.put_nowait(event)


@asynccontextmanager
async def end_on_disconnect(run: RunTask) -> AsyncIterator[None]:
    """End the run when its block is left early: by a disconnect, or at shutdown."""
    try:
        yield
    except ClientDisconnected:
        await run.end("cancelled")
        raise
    except asyncio.CancelledError:  # the server is shutting down
        await run.end("interrupted")
        raise


def _retrieve(task: asyncio.Task[AgentResult], on_end: Callable[[], None]) -> None:
    # asyncio logs an exception that is never retrieved.
    if not task.cancelled():
        task.exception()
    on_end()


def _log_unavailable() -> RunLogUnavailable:
    return RunLogUnavailable(
        "the run was ended, because its log cannot be written",
        hint="make room on the volume of MINI_AGENT_RUNS_DIR",
    )


def _describe_error(broken: Exception) -> ErrorBody:
    if isinstance(broken, MiniAgentError):
        return error_body(broken)
    return ErrorBody(code="internal", message=f"the shim failed: {type(broken).__name__}")


def _describe_end(state: State) -> ErrorBody:
    if state == "cancelled":
        return ErrorBody(code="cancelled", message="the run was cancelled")
    return ErrorBody(code="interrupted", message="the shim stopped while the run was in progress")


def _unstarted_result(plan: RunPlan, state: State) -> AgentResult:
    return AgentResult(
        final_answer=f"The run was {state} before it began.",
        answer_source="notice",
        stopped_reason="cancelled",
        messages=plan.request.messages,
        iterations=(),
        used_model=plan.model,
        error=f"the run was {state}",
        total_ms=0.0,
    )

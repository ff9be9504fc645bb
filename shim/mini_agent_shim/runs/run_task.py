"""A run in progress: a task of its own, which callers wait for and anybody may end."""

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
    """What a run is to do: the request, its model, and the work, which tells a listener of it."""

    request: AgentRunRequest
    model: str
    work: Work


class RunTask:
    """One run, from its place in the queue to its end."""

    def __init__(self, order: RunPlan, places: asyncio.Semaphore) -> None:
        self._order = order
        self._places = places
        self._ending_as: State = "cancelled"
        self._has_begun = False
        self._is_called_off = False
        self._listeners: list[asyncio.Queue[Event | None]] = []
        self._recorder: RunLogWriter | None = None
        self._task: asyncio.Task[AgentResult] | None = None

    @property
    def recorder(self) -> RunLogWriter:
        """Its record; there once it has begun."""
        if self._recorder is None:
            raise RuntimeError("the run has not begun")
        return self._recorder

    def start(self, recorder: RunLogWriter, over: Callable[[], None]) -> None:
        """Starts the task; `over` is called at its end."""
        self._recorder = recorder
        self._task = asyncio.create_task(self._worked())
        self._task.add_done_callback(lambda task: _retrieve(task, over))

    def cancel(self) -> None:
        """Asks it to end at once."""
        # A task that is cancelled before its first step would not even say that it ended.
        self._is_called_off = True
        if self._task is not None and self._has_begun:
            self._task.cancel()

    async def end(self, state: State) -> None:
        """Ends it, unless it has ended, and waits for that."""
        if self._task is None or self._task.done():
            return
        self._ending_as = state
        if self._has_its_answer:
            await asyncio.wait({self._task}, timeout=CANCEL_TIMEOUT_S)
        self.cancel()
        await asyncio.wait({self._task}, timeout=CANCEL_TIMEOUT_S)

    @property
    def _has_its_answer(self) -> bool:
        """All that is left to do is to leave the sandbox."""
        result = self.recorder.result
        return result is not None and run_state(result) != "cancelled"

    async def result(self) -> AgentResult:
        """What became of it; raises what kept it from beginning. Giving up does not end it."""
        if self._task is None:
            raise RuntimeError("the run has not begun")
        return await asyncio.shield(self._task)

    def events(self) -> AsyncGenerator[Event, None]:
        """What happens from now on, up to the end; then raises what `result` raises."""
        told: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.append(told)
        return self._heard_on(told)

    async def _heard_on(self, told: asyncio.Queue[Event | None]) -> AsyncGenerator[Event, None]:
        while (event := await told.get()) is not None:
            yield event
        await self.result()

    async def _worked(self) -> AgentResult:
        recorder = self.recorder
        self._has_begun = True
        try:
            result = await self._in_its_place()
        except asyncio.CancelledError:
            return self._cut_off()
        except BadRequest:
            recorder.discard()
            raise
        except Exception as broken:
            # Leaving a sandbox can fail, which does not undo the run.
            if recorder.result is not None:
                return self._done(recorder.result)
            recorder.record_end("failed", _describe_error(broken))
            raise
        else:
            return self._done(result)
        finally:
            self._tell_all(None)

    async def _in_its_place(self) -> AgentResult:
        if self._is_called_off:
            raise asyncio.CancelledError
        with metrics.track_queued():
            await self._places.acquire()
        try:
            with metrics.track_running():
                self.recorder.record_running()
                return await self._order.work(self._listener)
        finally:
            self._places.release()

    def _done(self, result: AgentResult) -> AgentResult:
        self.recorder.record_end(run_state(result))
        return result

    def _cut_off(self) -> AgentResult:
        recorder = self.recorder
        if recorder.is_broken:
            recorder.record_end("failed", _describe_error(_log_unavailable()))
            raise _log_unavailable()
        if recorder.result is not None and self._has_its_answer:
            return self._done(recorder.result)
        recorder.record_end(self._ending_as, _describe_end(self._ending_as))
        return recorder.result or _unstarted_result(self._order, self._ending_as)

    @property
    def _listener(self) -> Listener:
        return with_run_log(self._tell, self.recorder.summary.id)

    def _tell(self, event: Event) -> None:
        metrics.count_event(event)
        self.recorder.record(event)
        self._tell_all(event)

    def _tell_all(self, event: Event | None) -> None:
        for told in self._listeners:
            told.put_nowait(event)


@asynccontextmanager
async def end_on_disconnect(run: RunTask) -> AsyncIterator[None]:
    """Whoever leaves the block before the run is over ends the run."""
    try:
        yield
    except ClientDisconnected:
        await run.end("cancelled")
        raise
    except asyncio.CancelledError:  # the server gives up on the request: it shuts down
        await run.end("interrupted")
        raise


def _retrieve(task: asyncio.Task[AgentResult], over: Callable[[], None]) -> None:
    # What it raised may have no reader; asyncio would complain about it.
    if not task.cancelled():
        task.exception()
    over()


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


def _unstarted_result(order: RunPlan, state: State) -> AgentResult:
    return AgentResult(
        final_answer=f"The run was {state} before it began.",
        answer_source="notice",
        stopped_reason="cancelled",
        messages=order.request.messages,
        iterations=(),
        used_model=order.model,
        error=f"the run was {state}",
        total_ms=0.0,
    )

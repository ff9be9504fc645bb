"""The writer of a run's log: appends events, updates the summary and wakes readers."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from mini_agent.errors import ErrorBody
from mini_agent.events import Event, Listener, ModelReplied, RunStarted, Stopped
from mini_agent.net.telemetry import set_current_attributes
from mini_agent.result import AgentResult
from mini_agent_shim import metrics
from mini_agent_shim.http.access_log import format_log_line
from mini_agent_shim.runs.journal import Journal
from mini_agent_shim.runs.schema import (
    LogEvent,
    RunEnded,
    RunQueued,
    RunSummary,
    State,
)
from mini_agent_shim.runs.store import RunStore

MAX_MODEL_CHARS: Final = 100
_log: Final = logging.getLogger(__name__)


def with_run_log(listener: Listener, run_id: str) -> Listener:
    """Wrap `listener`: log one line when the run stops, and set the run id on its span.

    The line holds no code, output or answer.
    """

    def record(event: Event) -> None:
        if isinstance(event, RunStarted):
            set_current_attributes({"gen_ai.conversation.id": run_id})
        if isinstance(event, Stopped):
            _log.info(_format_stop(event.result))
        listener(event)

    return record


def _format_stop(result: AgentResult) -> str:
    calls = [call for each in result.iterations for call in each.tool_invocations]
    return format_log_line(
        "run_stopped",
        model=result.used_model[:MAX_MODEL_CHARS],
        stopped_reason=result.stopped_reason,
        answer_source=result.answer_source,
        iterations=len(result.iterations),
        calls=len(calls),
        failed_calls=sum(not call.ok for call in calls),
        repaired=sum(len(each.repaired) for each in result.iterations),
        prompt_tokens=result.usage.prompt_tokens,
        completion_tokens=result.usage.completion_tokens,
        model_ms=round(result.model_ms),
        tool_ms=round(result.tool_ms),
        total_ms=round(result.total_ms),
    )


class RunLogWriter:
    """Records one run; `on_broken` is called when its log cannot be written any more."""

    def __init__(
        self,
        store: RunStore,
        journal: Journal,
        summary: RunSummary,
        on_broken: Callable[[], None],
    ) -> None:
        self._store = store
        self._journal = journal
        self._on_broken = on_broken
        self._summary = summary
        self.result: AgentResult | None = None
        self.is_broken = False
        self.updated = asyncio.Event()

    @property
    def summary(self) -> RunSummary:
        """The current summary, with secrets redacted."""
        return self._summary

    def record_queued(self, event: RunQueued) -> None:
        """Write the first line; raises `OSError`."""
        self._summarize(self._summary)
        self._journal.append(event)

    def record_running(self) -> None:
        """Record that the run has left the queue."""
        self._change(state="running", started_at=time.time())
        self._save()

    def record(self, event: Event) -> None:
        """Record one event."""
        self._summarize(self._summary.apply(event))
        if isinstance(event, Stopped):
            self.result = event.result
        self._append(event)
        if isinstance(event, ModelReplied):
            self._save()

    def record_end(self, state: State, error: ErrorBody | None = None) -> None:
        """Record the end, and close the log."""
        self._change(state=state, ended_at=time.time())
        if error is not None:
            self._change(error=error.message)
        metrics.count_run(state, self.summary.stopped_reason)
        self._append(RunEnded(state=state, error=error))
        self._save()
        self._journal.close()
        self._notify_readers()

    def discard(self) -> None:
        """Delete a run that was refused."""
        self._change(state="failed")
        self._journal.close()
        self._store.delete(self.summary.id)
        self._notify_readers()

    def _change(self, **changed: object) -> None:
        self._summarize(self._summary.model_copy(update=changed))

    def _summarize(self, summary: RunSummary) -> None:
        self._summary = self._journal.redactor.redact_model(summary)

    def _append(self, event: LogEvent) -> None:
        try:
            self._journal.append(event)
        except OSError as broken:
            self._mark_broken(broken)
        self._notify_readers()

    def _save(self) -> None:
        try:
            self._store.index.save(self.summary, self._journal.bytes)
        except sqlite3.Error as broken:
            self._mark_broken(broken)

    def _mark_broken(self, why: Exception) -> None:
        if not self.is_broken:
            self.is_broken = True
            _log.error(format_log_line("run_log_broken", run_id=self.summary.id, why=str(why)))
            self._on_broken()

    # A reader waits on the old event, and takes the new one before it reads again.
    def _notify_readers(self) -> None:
        self.updated.set()
        self.updated = asyncio.Event()

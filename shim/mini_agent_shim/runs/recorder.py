"""A run being recorded: each event into its log, its summary kept, and readers told of the news."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Final

from mini_agent.errors import ErrorBody
from mini_agent.events import Event, ModelReplied, Stopped
from mini_agent.result import AgentResult
from mini_agent_shim import metrics
from mini_agent_shim.http.log_lines import line_of
from mini_agent_shim.runs.archive import Archive
from mini_agent_shim.runs.journal import Journal
from mini_agent_shim.runs.lines import LogEvent, RunEnded, RunQueued, State
from mini_agent_shim.runs.schema import RunSummary

_log: Final = logging.getLogger(__name__)


class Recording:
    """What has happened in one run so far. `on_broken` is called when it can be written no more."""

    def __init__(
        self, archive: Archive, journal: Journal, summary: RunSummary, on_broken: Callable[[], None]
    ) -> None:
        self._archive = archive
        self._journal = journal
        self._on_broken = on_broken
        self._summary = summary
        self.result: AgentResult | None = None
        self.is_broken = False
        self.news = asyncio.Event()

    @property
    def summary(self) -> RunSummary:
        """Where the run stands, without any secret."""
        return self._summary

    def queued(self, event: RunQueued) -> None:
        """The first line; raises what keeps it from being written."""
        self._summarize(self._summary)
        self._journal.append(event)

    def running(self) -> None:
        """The run has its place."""
        self._change(state="running", started_at=time.time())
        self._saved()

    def tell(self, event: Event) -> None:
        """Something has happened."""
        self._summarize(self._summary.after(event))
        if isinstance(event, Stopped):
            self.result = event.result
        self._written(event)
        if isinstance(event, ModelReplied):
            self._saved()

    def ended(self, state: State, error: ErrorBody | None = None) -> None:
        """Nothing follows."""
        self._change(state=state, ended_at=time.time())
        if error is not None:
            self._change(error=error.message)
        metrics.ended(state, self.summary.stopped_reason)
        self._written(RunEnded(state=state, error=error))
        self._saved()
        self._journal.close()
        self._tell_readers()

    def withdrawn(self) -> None:
        """It never was a run."""
        self._change(state="failed")
        self._journal.close()
        self._archive.forget(self.summary.id)
        self._tell_readers()

    def _change(self, **changed: object) -> None:
        self._summarize(self._summary.model_copy(update=changed))

    def _summarize(self, summary: RunSummary) -> None:
        self._summary = self._journal.hidden.out_of_value(summary)

    def _written(self, event: LogEvent) -> None:
        try:
            self._journal.append(event)
        except OSError as broken:
            self._broken(broken)
        self._tell_readers()

    def _saved(self) -> None:
        try:
            self._archive.index.save(self.summary, self._journal.bytes)
        except sqlite3.Error as broken:
            self._broken(broken)

    def _broken(self, why: Exception) -> None:
        if not self.is_broken:
            self.is_broken = True
            _log.error(line_of("run_log_broken", run_id=self.summary.id, why=str(why)))
            self._on_broken()

    # Whoever waits holds the old one, and takes the new one before it reads again.
    def _tell_readers(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

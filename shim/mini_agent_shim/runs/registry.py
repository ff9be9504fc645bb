"""The registry of runs: starts, finds, follows and cancels them, within capacity and quotas."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from mini_agent_protocol.asgi.request_id import current_request_id
from mini_agent_shim.errors import (
    IdempotencyKeyReused,
    RunLogUnavailable,
    RunNotFound,
    ShuttingDown,
    TooManyRequests,
)
from mini_agent_shim.http.auth import Caller
from mini_agent_shim.runs.journal import JournalReader
from mini_agent_shim.runs.recorder import RunLogWriter
from mini_agent_shim.runs.redaction import Redactor, dump_request, find_request_secrets
from mini_agent_shim.runs.run_task import RunPlan, RunTask
from mini_agent_shim.runs.schema import (
    EntryPoint,
    RunQueued,
    RunSummary,
    parse_line_head,
    preview_prompt,
)
from mini_agent_shim.runs.store import KeyedRun, RunQuery, RunStore

DAY_S: Final = 86_400.0
RETRY_AFTER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Where a run comes from: the caller, the API that was used, and the Idempotency-Key."""

    caller: Caller
    entry_point: EntryPoint
    key: str = ""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many runs are in progress at a time, and how many may be queued."""

    at_once: int
    waiting: int


class RunRegistry:
    """Holds the runs in progress, and reads all others from the store; one per service."""

    def __init__(self, store: RunStore, capacity: Capacity, redacted: Iterable[str] = ()) -> None:
        self._store = store
        self._capacity = capacity
        self._secrets = tuple(redacted)
        self._slots = asyncio.Semaphore(capacity.at_once)
        self._running: dict[str, RunTask] = {}
        self._is_closing = False

    def open(self) -> None:
        """Open the store; runs that a crash left are marked as interrupted."""
        self._store.open()

    async def aclose(self) -> None:
        """End the runs in progress, and close the store."""
        self._is_closing = True
        async with asyncio.TaskGroup() as ending:
            for run in list(self._running.values()):
                ending.create_task(run.end("interrupted"))
        self._store.close()

    def start(self, plan: RunPlan, origin: RunOrigin) -> RunTask:
        """Start or queue a new run; raises `TooManyRequests` and `RunLogUnavailable`."""
        if self._is_closing:
            raise ShuttingDown("the shim is about to stop", hint="ask again in a moment")
        self._require_capacity(origin.caller)
        summary = RunSummary(
            id=create_run_id(),
            door=origin.entry_point,
            caller=origin.caller.name,
            request_id=current_request_id(),
            model=plan.model,
            prompt=preview_prompt(plan.request.messages),
            created_at=time.time(),
        )
        run = RunTask(plan, self._slots)
        try:
            recorder = self._create_recorder(run, plan, summary)
            self._save_key(recorder, plan, origin)
        except (OSError, sqlite3.Error) as broken:
            raise RunLogUnavailable(
                f"the run log cannot be written: {broken}",
                hint="make room on the volume of MINI_AGENT_RUNS_DIR",
            ) from broken
        self._running[summary.id] = run
        run.start(recorder, lambda: self._remove(summary.id))
        return run

    def find_earlier(self, plan: RunPlan, origin: RunOrigin) -> str | None:
        """Return the run of the Idempotency-Key, if any; raises `IdempotencyKeyReused`."""
        keyed = self._store.index.find_key(origin.caller.name, origin.key) if origin.key else None
        if keyed is None:
            return None
        if keyed.digest != digest_plan(plan):
            raise IdempotencyKeyReused(
                "this Idempotency-Key came with another request before",
                hint="a new request needs a new key",
            )
        return keyed.run

    def find(self, run_id: str, caller: Caller) -> RunSummary:
        """Return a run's summary; raises `RunNotFound`, also where the caller may not see it."""
        running = self._running.get(run_id)
        found = running.recorder.summary if running else self._store.index.find(run_id)
        if found is None or not caller.may_see(found.caller):
            raise RunNotFound(f"there is no run {run_id[:40]!r}", hint="GET /runs lists them")
        return found

    def list_page(self, query: RunQuery) -> list[RunSummary]:
        """Return the matching runs, newest first."""
        found = self._store.index.list_page(query)
        return [self._refresh(each) for each in found]

    async def follow_lines(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield a run's log lines after number `after`, as they are written, to the last."""
        running = self._running.get(run_id)
        with self._store.open_reader(run_id) as log:
            while True:
                updated = running.recorder.updated if running else None
                is_over = running is None or running.recorder.summary.is_over
                for line in log.read_new_lines():
                    if parse_line_head(line)[0] > after:
                        yield line
                if updated is None or is_over:
                    return
                await updated.wait()

    def read_lines(self, run_id: str) -> AsyncGenerator[bytes, None]:
        """Yield the log lines that exist now."""
        return _read_lines(self._store.open_reader(run_id))

    async def cancel(self, run_id: str) -> None:
        """Cancel the run, if it is in progress, and wait until it has ended."""
        running = self._running.get(run_id)
        if running is not None:
            await running.end("cancelled")

    def _refresh(self, found: RunSummary) -> RunSummary:
        running = self._running.get(found.id)
        return running.recorder.summary if running else found

    def _create_recorder(self, run: RunTask, plan: RunPlan, summary: RunSummary) -> RunLogWriter:
        redactor = Redactor([*self._secrets, *find_request_secrets(plan.request)])
        journal = self._store.create_journal(summary, redactor)
        recorder = RunLogWriter(self._store, journal, summary, run.cancel)
        queued = RunQueued(
            run_id=summary.id,
            request_id=summary.request_id,
            caller=summary.caller,
            door=summary.door,
            request=dump_request(plan.request),
        )
        try:
            recorder.record_queued(queued)
        except OSError:
            recorder.discard()
            raise
        return recorder

    def _save_key(self, recorder: RunLogWriter, plan: RunPlan, origin: RunOrigin) -> None:
        if not origin.key:
            return
        keyed = KeyedRun(recorder.summary.id, digest_plan(plan))
        try:
            self._store.index.save_key(origin.caller.name, origin.key, keyed)
        except sqlite3.Error:
            recorder.discard()
            raise

    def _remove(self, run_id: str) -> None:
        run = self._running.pop(run_id, None)
        if self._is_closing or run is None:
            return
        with suppress(sqlite3.Error, OSError):
            if run.recorder.summary.max_iterations is None:
                # Nothing of it was executed: a repeated request may be.
                self._store.index.delete_keys(run_id)
            self._store.sweep()

    def _require_capacity(self, caller: Caller) -> None:
        limit = self._capacity.at_once + self._capacity.waiting
        if len(self._running) >= limit:
            raise TooManyRequests(
                "too_many_runs",
                f"{limit} runs are in progress or waiting, which is all there may be",
                retry_after_s=RETRY_AFTER_S,
                hint="ask again later; MINI_AGENT_RUNS_AT_ONCE and _WAITING set the limit",
            )
        quota = caller.quota
        own = sum(run.recorder.summary.caller == caller.name for run in self._running.values())
        if quota.runs_at_once is not None and own >= quota.runs_at_once:
            raise TooManyRequests(
                "too_many_runs",
                f"{own} runs of {caller.name!r} are in progress, which is all there may be",
                retry_after_s=RETRY_AFTER_S,
                hint="wait for one to end, or cancel it: POST /runs/ID/cancel",
            )
        if quota.runs_a_day is not None:
            self._require_daily_quota(caller, quota.runs_a_day)

    def _require_daily_quota(self, caller: Caller, max_runs: int) -> None:
        since = time.time() - DAY_S
        started = self._store.index.count_since(caller.name, since)
        if started >= max_runs:
            oldest = self._store.index.find_oldest_since(caller.name, since)
            raise TooManyRequests(
                "quota_exceeded",
                f"{started} runs of {caller.name!r} within a day, which is all there may be",
                retry_after_s=oldest + DAY_S - time.time(),
            )


async def _read_lines(log: JournalReader) -> AsyncGenerator[bytes, None]:
    with log:
        for line in log.read_new_lines():
            yield line


def create_run_id() -> str:
    """Create an id that sorts by time and cannot be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def digest_plan(plan: RunPlan) -> str:
    """Return the SHA-256 digest that tells two requests apart."""
    return sha256(
        plan.request.model_dump_json(exclude={"background", "stream"}).encode()
    ).hexdigest()

"""Every run of the shim: begun here, found here, in progress or over."""

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
from mini_agent_shim.http.caller import Caller
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
    """Who asks for a run: the caller, the door they came through, and their Idempotency-Key."""

    caller: Caller
    entry_point: EntryPoint
    key: str = ""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many runs are in progress at a time, and how many may wait for that."""

    at_once: int
    waiting: int


class RunRegistry:
    """One for the life of the service."""

    def __init__(self, store: RunStore, capacity: Capacity, secret: Iterable[str] = ()) -> None:
        self._store = store
        self._capacity = capacity
        self._secrets = tuple(secret)
        self._places = asyncio.Semaphore(capacity.at_once)
        self._live: dict[str, RunTask] = {}
        self._is_closing = False

    def open(self) -> None:
        """Opens the store; runs that a crash left are marked as interrupted."""
        self._store.open()

    async def aclose(self) -> None:
        """Ends what is still in progress, and closes the store."""
        self._is_closing = True
        async with asyncio.TaskGroup() as ending:
            for run in list(self._live.values()):
                ending.create_task(run.end("interrupted"))
        self._store.close()

    def start(self, order: RunPlan, origin: RunOrigin) -> RunTask:
        """A new run, in progress or waiting for a place; `TooManyRequests` where there is none left."""
        if self._is_closing:
            raise ShuttingDown("the shim is about to stop", hint="ask again in a moment")
        self._require_room(origin.caller)
        summary = RunSummary(
            id=create_run_id(),
            door=origin.entry_point,
            caller=origin.caller.name,
            request_id=current_request_id(),
            model=order.model,
            prompt=preview_prompt(order.request.messages),
            created_at=time.time(),
        )
        run = RunTask(order, self._places)
        try:
            recorder = self._create_recorder(run, order, summary)
            self._keep_key(recorder, order, origin)
        except (OSError, sqlite3.Error) as broken:
            raise RunLogUnavailable(
                f"the run log cannot be written: {broken}",
                hint="make room on the volume of MINI_AGENT_RUNS_DIR",
            ) from broken
        self._live[summary.id] = run
        run.start(recorder, lambda: self._over(summary.id))
        return run

    def find_earlier(self, order: RunPlan, origin: RunOrigin) -> str | None:
        """The id of the run that the origin's key stands for; `IdempotencyKeyReused` for another request."""
        keyed = self._store.index.find_key(origin.caller.name, origin.key) if origin.key else None
        if keyed is None:
            return None
        if keyed.digest != digest_plan(order):
            raise IdempotencyKeyReused(
                "this Idempotency-Key came with another request before",
                hint="a new request needs a new key",
            )
        return keyed.run

    def find(self, run_id: str, caller: Caller) -> RunSummary:
        """A run as it is now; `RunNotFound` also for those that the caller may not see."""
        live = self._live.get(run_id)
        found = live.recorder.summary if live else self._store.index.find(run_id)
        if found is None or not caller.may_see(found.caller):
            raise RunNotFound(f"there is no run {run_id[:40]!r}", hint="GET /runs lists them")
        return found

    def list_page(self, query: RunQuery) -> list[RunSummary]:
        """The runs that are query, newest first."""
        found = self._store.index.list_page(query)
        return [self._newest(each) for each in found]

    async def follow_lines(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """The lines of a run whose number is higher than `after`, as they come, to the last."""
        live = self._live.get(run_id)
        with self._store.open_reader(run_id) as log:
            while True:
                updated = live.recorder.updated if live else None
                is_over = live is None or live.recorder.summary.is_over
                for line in log.read_new_lines():
                    if parse_line_head(line)[0] > after:
                        yield line
                if updated is None or is_over:
                    return
                await updated.wait()

    def read_lines(self, run_id: str) -> AsyncGenerator[bytes, None]:
        """The lines that are there now."""
        return _read_lines(self._store.open_reader(run_id))

    async def cancel(self, run_id: str) -> None:
        """Ends the run, if it is in progress, and waits for that."""
        live = self._live.get(run_id)
        if live is not None:
            await live.end("cancelled")

    def _newest(self, found: RunSummary) -> RunSummary:
        live = self._live.get(found.id)
        return live.recorder.summary if live else found

    def _create_recorder(self, run: RunTask, order: RunPlan, summary: RunSummary) -> RunLogWriter:
        redactor = Redactor([*self._secrets, *find_request_secrets(order.request)])
        journal = self._store.create_journal(summary, redactor)
        recorder = RunLogWriter(self._store, journal, summary, run.cancel)
        queued = RunQueued(
            run_id=summary.id,
            request_id=summary.request_id,
            caller=summary.caller,
            door=summary.door,
            request=dump_request(order.request),
        )
        try:
            recorder.record_queued(queued)
        except OSError:
            recorder.discard()
            raise
        return recorder

    def _keep_key(self, recorder: RunLogWriter, order: RunPlan, origin: RunOrigin) -> None:
        if not origin.key:
            return
        keyed = KeyedRun(recorder.summary.id, digest_plan(order))
        try:
            self._store.index.save_key(origin.caller.name, origin.key, keyed)
        except sqlite3.Error:
            recorder.discard()
            raise

    def _over(self, run_id: str) -> None:
        run = self._live.pop(run_id, None)
        if self._is_closing or run is None:
            return
        with suppress(sqlite3.Error, OSError):
            if run.recorder.summary.max_iterations is None:
                # Nothing of it was carried out: asked again, it may be.
                self._store.index.delete_keys(run_id)
            self._store.sweep()

    def _require_room(self, caller: Caller) -> None:
        limit = self._capacity.at_once + self._capacity.waiting
        if len(self._live) >= limit:
            raise TooManyRequests(
                "too_many_runs",
                f"{limit} runs are in progress or waiting, which is all there may be",
                retry_after_s=RETRY_AFTER_S,
                hint="ask again later; MINI_AGENT_RUNS_AT_ONCE and _WAITING set the limit",
            )
        quota = caller.quota
        own = sum(run.recorder.summary.caller == caller.name for run in self._live.values())
        if quota.runs_at_once is not None and own >= quota.runs_at_once:
            raise TooManyRequests(
                "too_many_runs",
                f"{own} runs of {caller.name!r} are in progress, which is all there may be",
                retry_after_s=RETRY_AFTER_S,
                hint="wait for one to end, or cancel it: POST /runs/ID/cancel",
            )
        if quota.runs_a_day is not None:
            self._require_rest_of_the_day(caller, quota.runs_a_day)

    def _require_rest_of_the_day(self, caller: Caller, most: int) -> None:
        since = time.time() - DAY_S
        begun = self._store.index.count_since(caller.name, since)
        if begun >= most:
            oldest = self._store.index.oldest_since(caller.name, since)
            raise TooManyRequests(
                "quota_exceeded",
                f"{begun} runs of {caller.name!r} within a day, which is all there may be",
                retry_after_s=oldest + DAY_S - time.time(),
            )


async def _read_lines(log: JournalReader) -> AsyncGenerator[bytes, None]:
    with log:
        for line in log.read_new_lines():
            yield line


def create_run_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def digest_plan(order: RunPlan) -> str:
    """What tells two requests apart."""
    return sha256(
        order.request.model_dump_json(exclude={"background", "stream"}).encode()
    ).hexdigest()

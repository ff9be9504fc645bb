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
from mini_agent_shim.runs.recorder import RunRecorder
from mini_agent_shim.runs.redaction import Redactor, dump_request, find_request_secrets
from mini_agent_shim.runs.run_task import RunOrder, RunTask
from mini_agent_shim.runs.schema import (
    EntryPoint,
    RunQueued,
    RunSummary,
    parse_head,
    preview_prompt,
)
from mini_agent_shim.runs.store import KeyedRun, RunQuery, RunStore

DAY_S: Final = 86_400.0
RETRY_AFTER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """Who asks for a run: the caller, the door they came through, and their Idempotency-Key."""

    caller: Caller
    door: EntryPoint
    key: str = ""


@dataclass(frozen=True, slots=True)
class Capacity:
    """How many runs are in progress at a time, and how many may wait for that."""

    at_once: int
    waiting: int


class RunRegistry:
    """One for the life of the service."""

    def __init__(self, archive: RunStore, capacity: Capacity, secret: Iterable[str] = ()) -> None:
        self._archive = archive
        self._capacity = capacity
        self._secrets = tuple(secret)
        self._places = asyncio.Semaphore(capacity.at_once)
        self._live: dict[str, RunTask] = {}
        self._is_closing = False

    def open(self) -> None:
        """Opens the archive; runs that a crash left are marked as interrupted."""
        self._archive.opened()

    async def aclose(self) -> None:
        """Ends what is still in progress, and closes the archive."""
        self._is_closing = True
        async with asyncio.TaskGroup() as ending:
            for run in list(self._live.values()):
                ending.create_task(run.end_as("interrupted"))
        self._archive.close()

    def begin(self, order: RunOrder, asker: RunOrigin) -> RunTask:
        """A new run, in progress or waiting for a place; `TooManyRequests` where there is none left."""
        if self._is_closing:
            raise ShuttingDown("the shim is about to stop", hint="ask again in a moment")
        self._require_room(asker.caller)
        summary = RunSummary(
            id=create_run_id(),
            door=asker.door,
            caller=asker.caller.name,
            request_id=current_request_id(),
            model=order.model,
            prompt=preview_prompt(order.asked.messages),
            created_at=time.time(),
        )
        run = RunTask(order, self._places)
        try:
            recording = self._recording(run, order, summary)
            self._keep_key(recording, order, asker)
        except (OSError, sqlite3.Error) as broken:
            raise RunLogUnavailable(
                f"the run log cannot be written: {broken}",
                hint="make room on the volume of MINI_AGENT_RUNS_DIR",
            ) from broken
        self._live[summary.id] = run
        run.begin(recording, lambda: self._over(summary.id))
        return run

    def earlier(self, order: RunOrder, asker: RunOrigin) -> str | None:
        """The id of the run that the asker's key stands for; `IdempotencyKeyReused` for another request."""
        keyed = self._archive.index.keyed(asker.caller.name, asker.key) if asker.key else None
        if keyed is None:
            return None
        if keyed.digest != digest_order(order):
            raise IdempotencyKeyReused(
                "this Idempotency-Key came with another request before",
                hint="a new request needs a new key",
            )
        return keyed.run

    def find(self, run_id: str, caller: Caller) -> RunSummary:
        """A run as it is now; `RunNotFound` also for those that the caller may not see."""
        live = self._live.get(run_id)
        found = live.recording.summary if live else self._archive.index.find(run_id)
        if found is None or not caller.may_see(found.caller):
            raise RunNotFound(f"there is no run {run_id[:40]!r}", hint="GET /runs lists them")
        return found

    def page(self, wanted: RunQuery) -> list[RunSummary]:
        """The runs that are wanted, newest first."""
        found = self._archive.index.page(wanted)
        return [self._newest(each) for each in found]

    async def lines(self, run_id: str, after: int = 0) -> AsyncGenerator[bytes, None]:
        """The lines of a run whose number is higher than `after`, as they come, to the last."""
        live = self._live.get(run_id)
        with self._archive.reader(run_id) as log:
            while True:
                news = live.recording.news if live else None
                is_over = live is None or live.recording.summary.is_over
                for line in log.new_lines():
                    if parse_head(line)[0] > after:
                        yield line
                if news is None or is_over:
                    return
                await news.wait()

    def lines_so_far(self, run_id: str) -> AsyncGenerator[bytes, None]:
        """The lines that are there now."""
        return _read_lines(self._archive.reader(run_id))

    async def cancel(self, run_id: str) -> None:
        """Ends the run, if it is in progress, and waits for that."""
        live = self._live.get(run_id)
        if live is not None:
            await live.end_as("cancelled")

    def _newest(self, found: RunSummary) -> RunSummary:
        live = self._live.get(found.id)
        return live.recording.summary if live else found

    def _recording(self, run: RunTask, order: RunOrder, summary: RunSummary) -> RunRecorder:
        hidden = Redactor([*self._secrets, *find_request_secrets(order.asked)])
        journal = self._archive.begun(summary, hidden)
        recording = RunRecorder(self._archive, journal, summary, run.cancel)
        queued = RunQueued(
            run_id=summary.id,
            request_id=summary.request_id,
            caller=summary.caller,
            door=summary.door,
            request=dump_request(order.asked),
        )
        try:
            recording.queued(queued)
        except OSError:
            recording.withdrawn()
            raise
        return recording

    def _keep_key(self, recording: RunRecorder, order: RunOrder, asker: RunOrigin) -> None:
        if not asker.key:
            return
        keyed = KeyedRun(recording.summary.id, digest_order(order))
        try:
            self._archive.index.keep_key(asker.caller.name, asker.key, keyed)
        except sqlite3.Error:
            recording.withdrawn()
            raise

    def _over(self, run_id: str) -> None:
        run = self._live.pop(run_id, None)
        if self._is_closing or run is None:
            return
        with suppress(sqlite3.Error, OSError):
            if run.recording.summary.max_iterations is None:
                # Nothing of it was carried out: asked again, it may be.
                self._archive.index.drop_keys(run_id)
            self._archive.sweep()

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
        own = sum(run.recording.summary.caller == caller.name for run in self._live.values())
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
        begun = self._archive.index.count_since(caller.name, since)
        if begun >= most:
            oldest = self._archive.index.oldest_since(caller.name, since)
            raise TooManyRequests(
                "quota_exceeded",
                f"{begun} runs of {caller.name!r} within a day, which is all there may be",
                retry_after_s=oldest + DAY_S - time.time(),
            )


async def _read_lines(log: JournalReader) -> AsyncGenerator[bytes, None]:
    with log:
        for line in log.new_lines():
            yield line


def create_run_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def digest_order(order: RunOrder) -> str:
    """What tells two requests apart."""
    return sha256(
        order.asked.model_dump_json(exclude={"background", "stream"}).encode()
    ).hexdigest()

"""The store of runs on disk: an SQLite index with a row per run, beside the logs."""

from __future__ import annotations

import fcntl
import logging
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from mini_agent.errors import ErrorBody, NotConfigured
from mini_agent_shim.http.access_log import format_log_line
from mini_agent_shim.runs.journal import Journal, JournalReader, repair_journal
from mini_agent_shim.runs.redaction import Redactor
from mini_agent_shim.runs.schema import RunEnded, RunSummary, State

VERSION: Final = 1
BUSY_TIMEOUT_S: Final = 5.0
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, state TEXT NOT NULL, caller TEXT NOT NULL, model TEXT NOT NULL,
  created REAL NOT NULL, bytes INTEGER NOT NULL, found_by TEXT NOT NULL, summary TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_state ON runs (state);
CREATE INDEX IF NOT EXISTS by_caller ON runs (caller, created);
CREATE TABLE IF NOT EXISTS keys (
  caller TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, run TEXT NOT NULL,
  PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_run ON keys (run);
"""
SAVE: Final = """
INSERT INTO runs VALUES (:id, :state, :caller, :model, :created, :bytes, :found_by, :summary)
ON CONFLICT (id) DO UPDATE SET state = :state, model = :model, bytes = :bytes,
  found_by = :found_by, summary = :summary
"""
PAGE: Final = """
SELECT summary FROM runs
WHERE (:caller IS NULL OR caller = :caller)
  AND (:states = ',,' OR instr(:states, ',' || state || ','))
  AND (:model = '' OR model = :model)
  AND (:before = '' OR id < :before)
  AND created BETWEEN :since AND :until
  AND (:words = '' OR instr(found_by, :words))
ORDER BY id DESC LIMIT :limit
"""
SWEEP_INTERVAL_S: Final = 60.0
INTERRUPTED: Final = ErrorBody(
    code="interrupted",
    message="the shim stopped while the run was in progress",
    hint="its log holds what had happened until then; start it again if it is still wanted",
)
FOLDER_HINT: Final = "MINI_AGENT_RUNS_DIR names a folder that the shim can write"
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs a page lists, newest first; `caller` None: of all callers."""

    caller: str | None = None
    states: tuple[State, ...] = ()
    model: str = ""
    words: str = ""
    since: float = 0.0
    until: float = 1e11
    before: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class KeyedRun:
    """The run of an Idempotency-Key, and the digest of its request."""

    run: str
    digest: str


class RunIndex:
    """The SQLite index. Every call is one short transaction."""

    def __init__(self, path: Path) -> None:
        # Each statement is its own transaction; the write-ahead log survives a killed process.
        self._rows = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=NORMAL")
        self._rows.executescript(SCHEMA)
        self._rows.execute(f"PRAGMA user_version={VERSION:d}")

    def close(self) -> None:
        """Close the database."""
        self._rows.close()

    def save(self, summary: RunSummary, size: int) -> None:
        """Save a run's summary and the size of its log, in bytes."""
        found_by = (summary.id, summary.model, summary.prompt, summary.answer, summary.error or "")
        row = {
            "id": summary.id,
            "state": summary.state,
            "caller": summary.caller,
            "model": summary.model,
            "created": summary.created_at,
            "bytes": size,
            "found_by": _sqlite_text("\n".join(found_by).lower()),
            "summary": summary.model_dump_json(),
        }
        self._rows.execute(SAVE, row)

    def find(self, run_id: str) -> RunSummary | None:
        """Return the run with this id, or None."""
        row = self._rows.execute("SELECT summary FROM runs WHERE id = ?", (run_id,)).fetchone()
        return RunSummary.model_validate_json(row[0]) if row else None

    def list_page(self, query: RunQuery) -> list[RunSummary]:
        """Return the matching runs, newest first."""
        parameters = {
            "caller": query.caller,
            "states": f",{','.join(query.states)},",
            "model": query.model,
            "before": query.before,
            "since": query.since,
            "until": query.until,
            "words": _sqlite_text(query.words.lower()),
            "limit": query.limit,
        }
        rows = self._rows.execute(PAGE, parameters)
        return [RunSummary.model_validate_json(row[0]) for row in rows]

    def find_unfinished(self) -> list[RunSummary]:
        """Return the runs that were in progress when they were last saved."""
        rows = self._rows.execute(
            "SELECT summary FROM runs WHERE state IN ('queued', 'running') ORDER BY id"
        )
        return [RunSummary.model_validate_json(row[0]) for row in rows]

    def count_since(self, caller: str, since: float) -> int:
        """Count the runs that a caller has started since a time."""
        statement = "SELECT count(*) FROM runs WHERE caller = ? AND created >= ?"
        (count,) = self._rows.execute(statement, (caller, since)).fetchone()
        return int(count)

    def find_oldest_since(self, caller: str, since: float) -> float:
        """Return when the first of these started; `since` where there is none."""
        parameters = "SELECT min(created) FROM runs WHERE caller = ? AND created >= ?"
        (oldest,) = self._rows.execute(parameters, (caller, since)).fetchone()
        return since if oldest is None else float(oldest)

    def find_outdated(self, before: float, max_bytes: int) -> list[str]:
        """Return ended runs older than `before`, and the oldest beyond `max_bytes` in total."""
        parameters = """
        SELECT id FROM (
          SELECT id, state, created, sum(bytes) OVER (ORDER BY id DESC) AS so_far FROM runs
        ) WHERE state NOT IN ('queued', 'running') AND (created < ? OR so_far > ?)
        """
        return [row[0] for row in self._rows.execute(parameters, (before, max_bytes))]

    def delete(self, ids: Iterable[str]) -> None:
        """Delete runs and their keys."""
        rows = [(each,) for each in ids]
        self._rows.executemany("DELETE FROM keys WHERE run = ?", rows)
        self._rows.executemany("DELETE FROM runs WHERE id = ?", rows)

    def find_key(self, caller: str, key: str) -> KeyedRun | None:
        """Return the run of a caller's key, or None."""
        parameters = "SELECT run, digest FROM keys WHERE caller = ? AND key = ?"
        row = self._rows.execute(parameters, (caller, key)).fetchone()
        return KeyedRun(row[0], row[1]) if row else None

    def save_key(self, caller: str, key: str, keyed: KeyedRun) -> None:
        """Assign the key to this run."""
        row = (caller, key, keyed.digest, keyed.run)
        self._rows.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", row)

    def delete_keys(self, run: str) -> None:
        """Delete the keys of this run."""
        self._rows.execute("DELETE FROM keys WHERE run = ?", (run,))


# NUL ends a text in SQLite's functions; a lone surrogate cannot be stored.
def _sqlite_text(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days and MiB of runs are kept; the oldest are deleted first."""

    days: float = 30.0
    megabytes: int = 1024


class RunStore:
    """The logs and their index in one folder, opened on first use.

    Without a `folder` it uses a temporary one, which `close` deletes.
    """

    def __init__(self, folder: Path | None, retention: Retention) -> None:
        self._named = folder
        self._retention = retention
        self._open: _OpenStore | None = None
        self._swept = 0.0

    @property
    def index(self) -> RunIndex:
        """The index, opened if it is not."""
        return self.open().index

    def open(self) -> _OpenStore:
        """Open the store; raises `NotConfigured` where the folder cannot be used."""
        if self._open is None:
            self._open = _open_folder(self._named)
            self._mark_interrupted()
            self.sweep()
        return self._open

    def close(self) -> None:
        """Close the store."""
        if self._open is None:
            return
        self._open.close()
        if self._named is None:
            shutil.rmtree(self._open.folder)
        self._open = None

    def create_journal(self, summary: RunSummary, redactor: Redactor) -> Journal:
        """Create the journal of a new run."""
        path = self._path(summary.id)
        path.touch(mode=0o600)
        journal = Journal(path, redactor)
        try:
            self.index.save(redactor.redact_model(summary), 0)
        except sqlite3.Error:
            journal.close()
            path.unlink()
            raise
        return journal

    def open_reader(self, run_id: str) -> JournalReader:
        """Open the journal of a run for reading."""
        return JournalReader(self._path(run_id))

    def delete(self, run_id: str) -> None:
        """Delete a run."""
        self._path(run_id).unlink(missing_ok=True)
        self.index.delete([run_id])

    def sweep(self) -> None:
        """Delete runs beyond the retention, at most once in `SWEEP_INTERVAL_S`."""
        if time.monotonic() - self._swept < SWEEP_INTERVAL_S:
            return
        self._swept = time.monotonic()
        before = time.time() - self._retention.days * 86_400
        outdated = self.index.find_outdated(before, self._retention.megabytes << 20)
        for run_id in outdated:
            self._path(run_id).unlink(missing_ok=True)
        self.index.delete(outdated)

    def _path(self, run_id: str) -> Path:
        return self.open().folder / "logs" / f"{run_id}.jsonl"

    def _mark_interrupted(self) -> None:
        for summary in self.index.find_unfinished():
            path = self._path(summary.id)
            path.touch(mode=0o600)
            if not repair_journal(path):
                journal = Journal(path, Redactor(()))
                journal.append(RunEnded(state="interrupted", error=INTERRUPTED))
                journal.close()
            changes = {
                "state": "interrupted",
                "ended_at": time.time(),
                "error": INTERRUPTED.message,
            }
            self.index.save(summary.model_copy(update=changes), path.stat().st_size)
            _log.warning(format_log_line("run_interrupted", run_id=summary.id))


def require_writable_folder(named: Path | None) -> None:
    """Raise `NotConfigured` where runs cannot be stored in this folder."""
    if named is not None:
        _open_folder(named).close()


@dataclass(frozen=True, slots=True)
class _OpenStore:
    folder: Path
    index: RunIndex
    lock: TextIO

    def close(self) -> None:
        self.index.close()
        self.lock.close()


def _open_folder(named: Path | None) -> _OpenStore:
    folder = Path(tempfile.mkdtemp(prefix="mini-agent-runs-")) if named is None else named
    try:
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as wrong:
        raise NotConfigured(
            f"the runs cannot be kept in {folder}: {wrong.strerror}", hint=FOLDER_HINT
        ) from wrong
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as taken:
        lock.close()
        raise NotConfigured(
            f"another shim keeps its runs in {folder}",
            hint="give each its own MINI_AGENT_RUNS_DIR",
        ) from taken
    try:
        return _OpenStore(folder, RunIndex(folder / "index.sqlite3"), lock)
    except sqlite3.Error as broken:
        lock.close()
        raise NotConfigured(
            f"the index of runs in {folder} cannot be opened: {broken}",
            hint="make room, or move index.sqlite3 away: the logs stay readable files",
        ) from broken

"""All runs there are on disk: the index, the logs, what of them is kept, and who may read it."""

from __future__ import annotations

import fcntl
import logging
import shutil
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

from mini_agent.errors import ErrorBody, NotConfigured
from mini_agent_shim.http.log_lines import line_of
from mini_agent_shim.runs.journal import Journal, Reader, mend
from mini_agent_shim.runs.lines import RunEnded
from mini_agent_shim.runs.redaction import Hidden
from mini_agent_shim.runs.schema import RunSummary
from mini_agent_shim.runs.store import Index

SWEEP_S: Final = 60.0
LOST: Final = ErrorBody(
    code="interrupted",
    message="the shim stopped while the run was in progress",
    hint="its log holds what had happened until then; start it again if it is still wanted",
)
NOT_WRITABLE: Final = "MINI_AGENT_RUNS_DIR names a folder that the shim can write"
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long runs are kept and how much room they may take; the oldest go first."""

    days: float = 30.0
    megabytes: int = 1024


class Archive:
    """Opened by the first who needs it, or when the service starts, whichever is earlier.

    Without a `folder` the runs are forgotten when it is closed.
    """

    def __init__(self, folder: Path | None, keeping: Keeping) -> None:
        self._named = folder
        self._keeping = keeping
        self._open: _Open | None = None
        self._swept = 0.0

    @property
    def index(self) -> Index:
        """The index of the open archive."""
        return self.opened().index

    def opened(self) -> _Open:
        """The archive, open; `NotConfigured` where that cannot be."""
        if self._open is None:
            self._open = _opened(self._named)
            self._find_interrupted()
            self.sweep()
        return self._open

    def close(self) -> None:
        """Nothing follows."""
        if self._open is None:
            return
        self._open.close()
        if self._named is None:
            shutil.rmtree(self._open.folder)
        self._open = None

    def begun(self, summary: RunSummary, hidden: Hidden) -> Journal:
        """The log of a new run."""
        path = self._path(summary.id)
        path.touch(mode=0o600)
        journal = Journal(path, hidden)
        try:
            self.index.save(hidden.out_of_value(summary), 0)
        except sqlite3.Error:
            journal.close()
            path.unlink()
            raise
        return journal

    def reader(self, run_id: str) -> Reader:
        """The lines of a run."""
        return Reader(self._path(run_id))

    def forget(self, run_id: str) -> None:
        """A run that never was."""
        self._path(run_id).unlink(missing_ok=True)
        self.index.forget([run_id])

    def sweep(self) -> None:
        """Removes what is too old or too much, at most once a minute."""
        if time.monotonic() - self._swept < SWEEP_S:
            return
        self._swept = time.monotonic()
        before = time.time() - self._keeping.days * 86_400
        outdated = self.index.outdated(before, self._keeping.megabytes << 20)
        for run_id in outdated:
            self._path(run_id).unlink(missing_ok=True)
        self.index.forget(outdated)

    def _path(self, run_id: str) -> Path:
        return self.opened().folder / "logs" / f"{run_id}.jsonl"

    def _find_interrupted(self) -> None:
        for summary in self.index.unfinished():
            path = self._path(summary.id)
            path.touch(mode=0o600)
            if not mend(path):
                journal = Journal(path, Hidden(()))
                journal.append(RunEnded(state="interrupted", error=LOST))
                journal.close()
            told = {"state": "interrupted", "ended_at": time.time(), "error": LOST.message}
            self.index.save(summary.model_copy(update=told), path.stat().st_size)
            _log.warning(line_of("run_interrupted", run_id=summary.id))


def require_folder(named: Path | None) -> None:
    """`NotConfigured` where runs cannot be kept there now."""
    if named is not None:
        _opened(named).close()


@dataclass(frozen=True, slots=True)
class _Open:
    folder: Path
    index: Index
    lock: TextIO

    def close(self) -> None:
        self.index.close()
        self.lock.close()


def _opened(named: Path | None) -> _Open:
    folder = Path(tempfile.mkdtemp(prefix="mini-agent-runs-")) if named is None else named
    try:
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as wrong:
        raise NotConfigured(
            f"the runs cannot be kept in {folder}: {wrong.strerror}", hint=NOT_WRITABLE
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
        return _Open(folder, Index(folder / "index.sqlite3"), lock)
    except sqlite3.Error as broken:
        lock.close()
        raise NotConfigured(
            f"the index of runs in {folder} cannot be opened: {broken}",
            hint="make room, or move index.sqlite3 away: the logs stay readable files",
        ) from broken

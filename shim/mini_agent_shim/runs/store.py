"""The index of all runs: SQLite, one row a run, beside the logs that hold everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mini_agent_shim.runs.lines import State
from mini_agent_shim.runs.schema import RunSummary

VERSION: Final = 1
BUSY_S: Final = 5.0
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which runs a page shows, newest first; `caller` None: everybody's."""

    caller: str | None = None
    states: tuple[State, ...] = ()
    model: str = ""
    words: str = ""
    since: float = 0.0
    until: float = 1e11
    before: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Keyed:
    """The run that an Idempotency-Key stands for, and the digest of the request it came with."""

    run: str
    digest: str


class Index:
    """The rows. Every call is one short transaction."""

    def __init__(self, path: Path) -> None:
        # Every change is a transaction by itself; the write-ahead log survives a killed process.
        self._rows = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self._rows.execute("PRAGMA journal_mode=WAL")
        self._rows.execute("PRAGMA synchronous=NORMAL")
        self._rows.executescript(SCHEMA)
        self._rows.execute(f"PRAGMA user_version={VERSION:d}")

    def close(self) -> None:
        """No call follows."""
        self._rows.close()

    def save(self, summary: RunSummary, size: int) -> None:
        """The run as it is now, its log `size` bytes long."""
        found_by = (summary.id, summary.model, summary.prompt, summary.answer, summary.error or "")
        row = {
            "id": summary.id,
            "state": summary.state,
            "caller": summary.caller,
            "model": summary.model,
            "created": summary.created_at,
            "bytes": size,
            "found_by": _plain("\n".join(found_by).lower()),
            "summary": summary.model_dump_json(),
        }
        self._rows.execute(SAVE, row)

    def find(self, run_id: str) -> RunSummary | None:
        """The run of this id."""
        row = self._rows.execute("SELECT summary FROM runs WHERE id = ?", (run_id,)).fetchone()
        return RunSummary.model_validate_json(row[0]) if row else None

    def page(self, wanted: Wanted) -> list[RunSummary]:
        """The runs that are wanted, newest first."""
        asked = {
            "caller": wanted.caller,
            "states": f",{','.join(wanted.states)},",
            "model": wanted.model,
            "before": wanted.before,
            "since": wanted.since,
            "until": wanted.until,
            "words": _plain(wanted.words.lower()),
            "limit": wanted.limit,
        }
        rows = self._rows.execute(PAGE, asked)
        return [RunSummary.model_validate_json(row[0]) for row in rows]

    def unfinished(self) -> list[RunSummary]:
        """The runs that were in progress when they were last saved."""
        rows = self._rows.execute(
            "SELECT summary FROM runs WHERE state IN ('queued', 'running') ORDER BY id"
        )
        return [RunSummary.model_validate_json(row[0]) for row in rows]

    def count_since(self, caller: str, since: float) -> int:
        """How many runs a caller has begun since then."""
        counted = "SELECT count(*) FROM runs WHERE caller = ? AND created >= ?"
        (count,) = self._rows.execute(counted, (caller, since)).fetchone()
        return int(count)

    def oldest_since(self, caller: str, since: float) -> float:
        """When the first of these was begun; `since` where there is none."""
        asked = "SELECT min(created) FROM runs WHERE caller = ? AND created >= ?"
        (oldest,) = self._rows.execute(asked, (caller, since)).fetchone()
        return since if oldest is None else float(oldest)

    def outdated(self, before: float, most_bytes: int) -> list[str]:
        """Ended runs that are older, and the oldest of those that are too many bytes together."""
        asked = """
        SELECT id FROM (
          SELECT id, state, created, sum(bytes) OVER (ORDER BY id DESC) AS so_far FROM runs
        ) WHERE state NOT IN ('queued', 'running') AND (created < ? OR so_far > ?)
        """
        return [row[0] for row in self._rows.execute(asked, (before, most_bytes))]

    def forget(self, ids: Iterable[str]) -> None:
        """Removes runs, and the keys that stand for them."""
        gone = [(each,) for each in ids]
        self._rows.executemany("DELETE FROM keys WHERE run = ?", gone)
        self._rows.executemany("DELETE FROM runs WHERE id = ?", gone)

    def keyed(self, caller: str, key: str) -> Keyed | None:
        """What a caller's key stands for."""
        asked = "SELECT run, digest FROM keys WHERE caller = ? AND key = ?"
        row = self._rows.execute(asked, (caller, key)).fetchone()
        return Keyed(row[0], row[1]) if row else None

    def keep_key(self, caller: str, key: str, keyed: Keyed) -> None:
        """From now on the key stands for this run."""
        row = (caller, key, keyed.digest, keyed.run)
        self._rows.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?)", row)

    def drop_keys(self, run: str) -> None:
        """No key stands for this run any more."""
        self._rows.execute("DELETE FROM keys WHERE run = ?", (run,))


# NUL ends a text for SQLite's functions, and a lone surrogate is no text to it.
def _plain(text: str) -> str:
    return text.replace("\0", " ").encode("utf-8", "replace").decode()

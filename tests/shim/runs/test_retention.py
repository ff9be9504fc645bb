"""What the log keeps, for how long, and what happens where there is no room for it."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from mini_agent.messages import JsonObject
from mini_agent_shim.runs.redaction import Redactor
from mini_agent_shim.runs.schema import RunQueued, RunSummary
from mini_agent_shim.runs.store import Retention, RunQuery, RunStore
from mini_agent_shim.settings import ShimSettings
from tests.shim.runs.run_client import REQUEST, list_run_ids
from tests.shim.scripted import ScriptedModel, open_client, program_turn, text_turn

DAY_S = 86_400


def keep(store: RunStore, number: int, created_at: float, *, state: str = "done") -> None:
    told = {"id": f"{number:032x}", "model": "a/b", "created_at": created_at, "state": state}
    summary = RunSummary.model_validate(told)
    journal = store.create_journal(summary, Redactor(()))
    request: JsonObject = {"padding": "x" * 700_000}
    journal.append(
        RunQueued(run_id=summary.id, request_id="", caller="", door="agent", request=request)
    )
    journal.close()
    store.index.save(summary, journal.bytes)


def kept(folder: Path, retention: Retention) -> list[int]:
    store = RunStore(folder, retention)
    found = [int(each.id, 16) for each in store.index.list_page(RunQuery())]
    store.close()
    assert len(list((folder / "logs").iterdir())) == len(found)
    return found


def test_runs_that_are_too_old_go(tmp_path: Path) -> None:
    store = RunStore(tmp_path, Retention())
    keep(store, 1, time.time() - 10 * DAY_S)
    keep(store, 2, time.time() - 2 * DAY_S)
    store.close()
    assert kept(tmp_path, Retention(days=5)) == [2]


def test_where_there_is_too_much_the_oldest_go(tmp_path: Path) -> None:
    store = RunStore(tmp_path, Retention())
    for number in (1, 2, 3, 4):
        keep(store, number, time.time())
    store.close()
    assert kept(tmp_path, Retention(megabytes=2)) == [4, 3]


@contextmanager
def no_room_beyond(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_run_that_can_be_logged_no_more_ends_and_what_was_is_readable(
    tmp_path: Path,
) -> None:
    model = ScriptedModel([program_turn("x" * 300_000, tool="echo"), text_turn("never asked")])
    async with open_client(model, ShimSettings(runs_dir=tmp_path)) as client:
        with no_room_beyond(250_000):
            answer = await client.post("/agent/run", json=REQUEST)
        (run_id,) = await list_run_ids(client, state="failed")
        told = (await client.get(f"/runs/{run_id}/events")).text
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["error"]["code"] == "run_log_unavailable"
    assert "event: model_asked" in told
    assert len(model.requests) == 1


async def test_no_run_begins_where_it_cannot_be_logged(tmp_path: Path) -> None:
    async with open_client(ScriptedModel([]), ShimSettings(runs_dir=tmp_path)) as client:
        with no_room_beyond(10):
            answer = await client.post("/agent/run", json=REQUEST)
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert answer.json()["error"]["code"] == "run_log_unavailable"

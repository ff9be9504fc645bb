"""Reads the shim's log of a batch of runs, each run from its beginning to its end."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class LoggedRuns:
    """What the shim's log has of a batch."""

    prompts: Counter[str]
    states: Counter[str]
    wrong: int
    unreadable: int
    programs_twice: int


async def read_runs(client: httpx.AsyncClient, name: str) -> LoggedRuns:
    """Read every run of the batch, with its events."""
    runs = await _list_runs(client, name)
    logs = [await _read_run(client, each) for each in runs]
    return LoggedRuns(
        prompts=Counter(str(each["prompt"]) for each in runs),
        states=Counter(str(each["state"]) for each in runs),
        wrong=sum(each["state"] == "done" and not _is_right(each) for each in runs),
        unreadable=sum(not each.is_whole for each in logs),
        programs_twice=sum(each.programs > 1 for each in logs),
    )


async def _list_runs(client: httpx.AsyncClient, name: str) -> list[dict[str, object]]:
    runs: list[dict[str, object]] = []
    before = ""
    while True:
        query: dict[str, str | int] = {"q": name, "limit": 200, "before": before}
        page = (await client.get("/runs", params=query)).raise_for_status().json()
        runs += page["runs"]
        before = page["next"]
        if not before:
            return runs


def _is_right(run: dict[str, object]) -> bool:
    number = int(str(run["prompt"]).split()[-1])
    return run["answer"] == f"It is {number * 7}."


@dataclass(frozen=True, slots=True)
class _RunLog:
    is_whole: bool
    programs: int


async def _read_run(client: httpx.AsyncClient, run: dict[str, object]) -> _RunLog:
    detail = await client.get(f"/runs/{run['id']}")
    events = (await client.get(f"/runs/{run['id']}/events")).text
    is_whole = detail.is_success and "\nevent: run_ended\n" in events
    return _RunLog(is_whole, events.count("\nevent: tool_started\n"))

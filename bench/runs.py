"""Runs over the stack that is up (`make up MODEL=demo`), 50 at a time: `python -m bench.runs`.

The model is scripted and listens where the shim's container reaches it. `--restart` restarts the
shim when half of the runs have begun, and `--kill` kills it: each run has to be done then, or
marked as interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

import httpx

from bench.cost import Cost, line, table
from bench.runs_found import Found, found
from bench.runs_stack import (
    Memory,
    executions,
    here_seen_from_there,
    kill_shim,
    memory,
    restart_shim,
    sandboxes_left,
    shim_process,
)
from bench.samples import Samples
from mini_agent.testing import ScriptedReply, ScriptedServer, call, text
from mini_agent.testing.replies import JsonObject

SHIM: Final = "http://127.0.0.1:8788"
AT_ONCE: Final = 50
HUNDRED: Final = 100
WARM_UP: Final = 50
PATIENCE_S: Final = 300.0
PAUSE_S: Final = 0.5
LATER: Final = (429, 503)
FLAT: Final = 1.25
GROWN_MIB: Final = 16.0

End = Callable[[], Awaitable[None]]


def says(messages: list[JsonObject]) -> ScriptedReply:
    """A program for a number, and then what it printed."""
    asked = next(each["content"] for each in messages if each["role"] == "user")
    if messages[-1]["role"] == "tool":
        told = str(messages[-1]["content"])
        return text(f"It is {' '.join(told.partition('stdout:')[2].split()[:1])}.")
    return call("exec_python", code=f"print({str(asked).split()[-1]} * 7)")


@dataclass(slots=True)
class Batch:
    """So many runs, each asked for under a key of its own until there is an answer."""

    client: httpx.AsyncClient
    model: str
    name: str
    runs: int
    begun: int = 0
    took: dict[int, float] = field(default_factory=dict)

    async def run(self) -> None:
        """All of them, so many at a time."""
        async with asyncio.TaskGroup() as group:
            for _ in range(min(AT_ONCE, self.runs)):
                group.create_task(self._some())

    async def until_begun(self, share: float) -> None:
        """Returns when this share of them has been asked for."""
        while self.begun < self.runs * share:  # noqa: ASYNC110  it only counts
            await asyncio.sleep(PAUSE_S / 10)

    async def _some(self) -> None:
        while self.begun < self.runs:
            number, self.begun = self.begun, self.begun + 1
            began = perf_counter()
            async with asyncio.timeout(PATIENCE_S):
                while not await self._is_answered(number):  # noqa: ASYNC110  it is asked again
                    await asyncio.sleep(PAUSE_S)
            self.took[number] = (perf_counter() - began) * 1000

    async def _is_answered(self, number: int) -> bool:
        asked = {
            "messages": [{"role": "user", "content": f"{self.name} times seven: {number}"}],
            "model": "openai/scripted",
            "api_base": self.model,
            "api_key": "none",
        }
        key = {"Idempotency-Key": f"{self.name}-{number}"}
        try:
            answer = await self.client.post("/agent/run", json=asked, headers=key)
        except httpx.TransportError:
            return False
        return answer.status_code not in LATER


def main() -> int:
    """Prints a table, and the line of JSON last; 1 when something is not as it has to be."""
    options = argparse.ArgumentParser(prog="python -m bench.runs")
    options.add_argument("--runs", type=int, default=500)
    ends = options.add_mutually_exclusive_group()
    ends.add_argument("--restart", dest="end", action="store_const", const=restart_shim)
    ends.add_argument("--kill", dest="end", action="store_const", const=kill_shim)
    asked = options.parse_args()
    costs = asyncio.run(_measured(asked.runs, asked.end))
    sys.stdout.write(f"{table(costs, 'runs')}\n\n{line(costs)}\n")
    return 0 if all(cost.is_met for cost in costs) else 1


async def _measured(runs: int, end: End | None) -> list[Cost]:
    here = await here_seen_from_there()
    limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    with ScriptedServer(says, host=here) as model:
        async with httpx.AsyncClient(
            base_url=SHIM, timeout=PATIENCE_S, limits=limits, trust_env=False
        ) as client:
            await Batch(client, model.openai_url, f"warm{secrets.token_hex(4)}", WARM_UP).run()
            batch = Batch(client, model.openai_url, f"b{secrets.token_hex(4)}", runs)
            return await _of(batch, end)


async def _of(batch: Batch, end: End | None) -> list[Cost]:
    ran, before = await executions(), await memory()
    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(batch.run())
        ended = None if end is None else group.create_task(_ended(batch, end))
    seconds = perf_counter() - began
    left, seen = await sandboxes_left(), await found(batch.client, batch.name)
    more = await executions() - ran - batch.runs
    return [
        *_kept(batch, seen, ends=end is not None),
        _one("programs_more", "programs that the sidecar ran more than once", max(0, more), 0),
        _one("sandboxes_left", "sandboxes left after it", left, 0),
        *([] if ended is None else ended.result()),
        *_times(batch, seconds, ends=end is not None),
        *_grown(before, await memory(), ends=end is not None),
    ]


async def _ended(batch: Batch, end: End) -> list[Cost]:
    await batch.until_begun(0.5)
    first, answered, began = await shim_process(), len(batch.took), perf_counter()
    await end()
    if await shim_process() == first:
        raise SystemExit("the shim is the process that it was before")
    return [
        _one("answered_before", "answered when it was told to end", answered),
        _one("end_s", "seconds until there was another shim", perf_counter() - began),
    ]


def _kept(batch: Batch, seen: Found, *, ends: bool) -> list[Cost]:
    over = seen.states["done"] + seen.states["interrupted"]
    total = sum(seen.states.values())
    most_interrupted = None if ends else 0
    return [
        _one("lost", f"of {batch.runs} runs: lost", batch.runs - len(seen.prompts), 0),
        _one("twice", "begun twice", total - len(seen.prompts), 0),
        _one("ran_twice", "whose program was run twice", seen.programs_twice, 0),
        _one("not_over", "neither done nor interrupted", total - over, 0),
        _one("interrupted", "interrupted", seen.states["interrupted"], most_interrupted),
        _one("wrong", "done with a wrong answer", seen.wrong, 0),
        _one("unreadable", "that cannot be read to their end", seen.unreadable, 0),
    ]


def _times(batch: Batch, seconds: float, *, ends: bool) -> list[Cost]:
    took = [batch.took[number] for number in sorted(batch.took)]
    first = Samples("a run of the first hundred", took[:HUNDRED])
    last = Samples("a run of the last hundred", took[-HUNDRED:])
    ratio = last.p95 / first.p95
    return [
        Cost("first_ms", first, "ms"),
        Cost("last_ms", last, "ms"),
        _one("p95_ratio", "p95 of the last over the first", ratio, None if ends else FLAT),
        _one("runs_per_s", "runs a second", batch.runs / seconds),
    ]


def _grown(before: Memory, after: Memory, *, ends: bool) -> list[Cost]:
    grown = after.shim - before.shim
    return [
        _one("shim_mib", "memory of the shim before, MiB", before.shim),
        _one("shim_grown_mib", "more after it, MiB", grown, None if ends else GROWN_MIB),
        _one("sidecar_mib", "memory of the sidecar before, MiB", before.sidecar),
        _one("sidecar_grown_mib", "more after it, MiB", after.sidecar - before.sidecar, GROWN_MIB),
    ]


def _one(key: str, label: str, value: float, allowed: float | None = None) -> Cost:
    return Cost(key, Samples(label, [value]), "", allowed)


if __name__ == "__main__":
    sys.exit(main())
